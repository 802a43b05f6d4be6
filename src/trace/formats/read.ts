// Reading a trace from bytes. The content tells the formats apart.

import { TraceError } from '../error.ts';
import type { Trace } from '../trace.ts';
import { gunzip, isGzip } from './gzip.ts';
import { parseInt32 } from './int32.ts';
import { parseMtrace } from './mtrace.ts';
import { checkLength } from './parts.ts';

/** Bytes at the start of a file that tell text from integers. */
const HEAD_BYTES = 256;

/**
 * Reads a trace: int32 or the mtrace text of the GNU C library, plain or gzip. The content tells them apart; file
 * names do not matter. The bytes are not changed. O(n).
 *
 * @throws TypeError if `bytes` is not a Uint8Array.
 * @throws TraceError if any part of the trace cannot be read; the message names the line or entry.
 */
export async function readTrace(bytes: Uint8Array): Promise<Trace> {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('readTrace expects a Uint8Array');
  const plain = isGzip(bytes) ? await gunzip(bytes) : bytes;
  checkLength(plain.length);
  if (plain.length === 0) throw new TraceError('EMPTY', 'the file is empty');
  return isText(plain) ? parseMtrace(plain) : parseInt32(plain);
}

/**
 * Whether the trace is text. Text has no control characters but tab and line ends, and UTF-8 never has a byte 0xff.
 * Integers have such bytes among the first few: an entry without one would allocate at least 0x09090909 bytes (144
 * MiB).
 */
function isText(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, HEAD_BYTES)
    .every((byte) => (byte >= 0x20 && byte !== 0xff) || byte === 9 || byte === 10 || byte === 13);
}
