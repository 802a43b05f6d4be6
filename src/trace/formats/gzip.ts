// Unpacking gzip with what every runtime has: DecompressionStream.

import { TraceError } from '../error.ts';
import { MAX_BYTES, Parts } from './parts.ts';

/** Do these bytes begin as a gzip file does, with its mark and the number of the only method there is, as far as they go? */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && (bytes[2] ?? 8) === 8;
}

/**
 * Unpacks a gzip file.
 *
 * @throws {TraceError} `GZIP` when it is damaged or cut short, `TOO_LARGE` when it unpacks to more than `limit` bytes.
 */
export async function gunzip(bytes: Uint8Array, limit: number = MAX_BYTES): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  const parts = new Parts(limit);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: Error) => {
        throw new TraceError('GZIP', `damaged or truncated gzip data: ${cause.message}`);
      });
      if (done) return parts.join();
      parts.add(value);
    }
  } finally {
    // What is left, where there was too much, is not unpacked.
    await reader.cancel().catch(() => {});
  }
}
