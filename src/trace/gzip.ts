// Unpacking gzip with what every runtime has: DecompressionStream.

import { TraceError } from './error.ts';

// A trace of this size has 2^29 operations; the limit keeps a small hostile file from filling the memory.
const MAX_BYTES = 2 ** 31;

/** Do these bytes begin as a gzip file does? */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks a gzip file.
 *
 * @throws {TraceError} `GZIP` when it is damaged or cut short, `TOO_LARGE` when it unpacks to more than `limit` bytes.
 */
export async function gunzip(bytes: Uint8Array, limit: number = MAX_BYTES): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: Error) => {
      throw new TraceError('GZIP', `damaged or truncated gzip data: ${cause.message}`);
    });
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new TraceError('TOO_LARGE', `the trace unpacks to more than ${limit} bytes`);
    }
    parts.push(value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
