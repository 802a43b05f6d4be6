// Reading traces from files and streams. The only file of trace/ that needs Node.

import { createReadStream } from 'node:fs';
import type { Trace } from '../trace.ts';
import { MAX_BYTES, Parts } from './parts.ts';
import { type ReadOptions, readTrace } from './read.ts';

/**
 * Reads the trace in a file. O(n).
 *
 * @throws TraceError if the content is not a trace.
 * @throws Error, the system's, if the file cannot be read.
 */
export async function readTraceFile(path: string, options?: ReadOptions): Promise<Trace> {
  return readTraceStream(createReadStream(path, { highWaterMark: 2 ** 20 }), options);
}

/**
 * Reads the trace that a stream, such as standard input, delivers until its end. Stops earlier if there are more
 * bytes than any trace has. O(n).
 *
 * @throws TraceError, Error as {@link readTraceFile}.
 */
export async function readTraceStream(
  stream: AsyncIterable<Uint8Array>,
  options?: ReadOptions,
): Promise<Trace> {
  const parts = new Parts(MAX_BYTES);
  for await (const part of stream) parts.add(part);
  return readTrace(parts.join(), options);
}
