// The int32 format: a header, then the operations as little-endian 32-bit integers.

import { TraceError } from '../error.ts';
import { int32s, uint8s } from '../memory.ts';
import { type Trace, traceFromOps } from '../trace.ts';

/** `BUDT` in little-endian bytes. */
const MAGIC = 0x54445542;

const VERSION = 1;

/** Bytes of the header: three uint32, which are the letters, the version, and the number of operations. */
const HEADER_BYTES = 12;

/**
 * Stands for the number of operations in the header of a trace that was written while it was recorded: they are all
 * that follow.
 */
export const UNCOUNTED = 2 ** 32 - 1;

/** The header of a trace of `operations` operations. */
export function headerFor(operations: number): Uint8Array<ArrayBuffer> {
  const bytes = uint8s(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, operations, true);
  return bytes;
}

/** Whether unpacked bytes begin with the letters of the header. */
export function hasHeader(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === MAGIC;
}

/**
 * Reads an unpacked int32 trace, with a header or, if its letters are not there, without. O(n).
 *
 * @throws TraceError `LENGTH`, `VERSION`, or as {@link traceFromOps}.
 */
export function parseInt32(bytes: Uint8Array): Trace {
  return traceFromOps(hasHeader(bytes) ? headedOps(bytes) : readOps(bytes));
}

/** The operations behind a header, which is checked. */
function headedOps(bytes: Uint8Array): Int32Array {
  if (bytes.length < HEADER_BYTES) throw new TraceError('LENGTH', 'the file ends within its header');
  const view = viewOf(bytes);
  const version = view.getUint32(4, true);
  if (version !== VERSION) {
    throw new TraceError('VERSION', `the trace has version ${version} of the format, not ${VERSION}`);
  }
  const ops = readOps(bytes.subarray(HEADER_BYTES));
  const count = view.getUint32(8, true);
  if (count !== UNCOUNTED && count !== ops.length) {
    const at = Math.min(count, ops.length);
    throw new TraceError(
      'LENGTH',
      `entry ${at}: the header counts ${count} operations, but the file has ${ops.length}`,
      at,
    );
  }
  return ops;
}

/** The operations that `bytes` are. */
function readOps(bytes: Uint8Array): Int32Array {
  if (bytes.length % 4 !== 0) {
    throw new TraceError(
      'LENGTH',
      `entry ${bytes.length >>> 2}: the file ends within it (${bytes.length} bytes are not a multiple of 4)`,
      bytes.length >>> 2,
    );
  }
  const view = viewOf(bytes);
  const ops = int32s(bytes.length / 4);
  for (let i = 0; i < ops.length; i++) ops[i] = view.getInt32(i * 4, true);
  return ops;
}

/**
 * Writes a trace in the int32 format: 12 bytes of header and 4 bytes per operation, little-endian on every machine.
 * Only the operations are kept, not the callers, addresses and counts of a recording. O(n).
 */
export function encodeTrace(trace: Pick<Trace, 'ops'>): Uint8Array<ArrayBuffer> {
  const { ops } = trace;
  const bytes = uint8s(HEADER_BYTES + ops.length * 4);
  bytes.set(headerFor(ops.length));
  writeOps(bytes.subarray(HEADER_BYTES), ops);
  return bytes;
}

/** The bytes of operations without a header. O(n). */
export function encodeOps(ops: Int32Array): Uint8Array<ArrayBuffer> {
  const bytes = uint8s(ops.length * 4);
  writeOps(bytes, ops);
  return bytes;
}

/** Writes operations to `bytes`, which has 4 for each. */
function writeOps(bytes: Uint8Array, ops: Int32Array): void {
  const view = viewOf(bytes);
  for (let i = 0; i < ops.length; i++) view.setInt32(i * 4, ops[i], true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
