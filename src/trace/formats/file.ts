// Reading traces from files and streams: the only file here that needs Node.

import { createReadStream } from 'node:fs';
import type { Trace } from '../trace.ts';
import { MAX_BYTES, Parts } from './parts.ts';
import { readTrace } from './read.ts';

/**
 * Reads the trace in a file.
 *
 * @throws {TraceError} when its content is no trace.
 * @throws the system's error when the file cannot be read.
 */
export async function readTraceFile(path: string): Promise<Trace> {
  return readTraceStream(createReadStream(path, { highWaterMark: 2 ** 20 }));
}

/**
 * Reads the trace that a stream, such as standard input, delivers until its end, or until there is more than any trace has. Throws
 * as {@link readTraceFile}.
 */
export async function readTraceStream(stream: AsyncIterable<Uint8Array>): Promise<Trace> {
  const parts = new Parts(MAX_BYTES);
  for await (const part of stream) parts.add(part);
  return readTrace(parts.join());
}
