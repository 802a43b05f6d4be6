// The int32 format: the operations as little-endian 32-bit integers, without a header.

import { TraceError } from '../error.ts';
import { int32s, uint8s } from '../memory.ts';
import { type Trace, traceFromOps } from '../trace.ts';

/**
 * Reads an unpacked int32 trace. O(n).
 *
 * @throws TraceError `LENGTH`, or as {@link traceFromOps}.
 */
export function parseInt32(bytes: Uint8Array): Trace {
  if (bytes.length % 4 !== 0) {
    throw new TraceError(
      'LENGTH',
      `entry ${bytes.length >>> 2}: the file ends within it (${bytes.length} bytes are not a multiple of 4)`,
      bytes.length >>> 2,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ops = int32s(bytes.length / 4);
  for (let i = 0; i < ops.length; i++) ops[i] = view.getInt32(i * 4, true);
  return traceFromOps(ops);
}

/**
 * Writes a trace in the int32 format: 4 bytes per operation, little-endian on every machine. Only the operations
 * are kept, not the callers, addresses and counts of an mtrace recording. O(n).
 */
export function encodeTrace(trace: Pick<Trace, 'ops'>): Uint8Array<ArrayBuffer> {
  const bytes = uint8s(trace.ops.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < trace.ops.length; i++) view.setInt32(i * 4, trace.ops[i], true);
  return bytes;
}
