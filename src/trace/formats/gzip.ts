// Unpacking gzip with DecompressionStream, which every runtime has.

import { TraceError } from '../error.ts';
import { MAX_BYTES, Parts } from './parts.ts';

/**
 * Whether these bytes begin like a gzip file: with its mark and the number of the only compression method. A file
 * that is cut off before the latter counts as gzip.
 */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && (bytes[2] ?? 8) === 8;
}

/**
 * Unpacks a gzip file. O(n).
 *
 * @throws TraceError `GZIP` if it is damaged or cut short, `TOO_LARGE` if it unpacks to more than `limit` bytes.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  limit: number = MAX_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream();
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
    // Beyond the limit nothing is unpacked.
    await reader.cancel().catch(() => {});
  }
}
