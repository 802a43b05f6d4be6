// Reading traces from files and streams: the only file here that needs Node.

import { readFile } from 'node:fs/promises';
import { readTrace } from './read.ts';
import type { Trace } from './trace.ts';

/**
 * Reads the trace in a file.
 *
 * @throws {TraceError} when its content is no trace.
 * @throws the system's error when the file cannot be read.
 */
export async function readTraceFile(path: string): Promise<Trace> {
  return readTrace(await readFile(path));
}

/** Reads the trace that a stream, such as standard input, delivers until its end. Throws as {@link readTraceFile}. */
export async function readTraceStream(stream: AsyncIterable<Uint8Array>): Promise<Trace> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return readTrace(Buffer.concat(parts));
}
