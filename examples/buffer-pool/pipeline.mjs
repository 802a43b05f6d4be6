// The pipeline: reads a file in messages of varying sizes, many at a time, takes the checksum of each, writes it to a copy
// of the file, and releases its buffer.

import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const pause = promisify(setImmediate);

/** Buffers in use at the same time, at most. */
export const IN_FLIGHT = 32;

/** Bytes of the largest message. */
export const LARGEST = 2 ** 18;

/** Sizes between 1 KiB and LARGEST, small ones as likely as large ones (log-uniform); the same at every run. */
function* sizes() {
  let state = 1;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield Math.floor(1024 * (LARGEST / 1024) ** (state / 2 ** 32));
  }
}

/** The messages of a file of `bytes` bytes. */
function* messages(bytes) {
  let position = 0;
  for (const size of sizes()) {
    if (position === bytes) return;
    const length = Math.min(size, bytes - position);
    yield { position, length };
    position += length;
  }
}

/** A buffer, as soon as the pool has room for it: others are on their way back. */
async function acquire(pool, length) {
  for (;;) {
    const buffer = pool.acquire(length);
    if (buffer) return buffer;
    await pause();
  }
}

/** Carries the file over. Returns the number of messages, and the sum of their checksums modulo 2^32. */
export async function copyWithChecksums(pool, from, to) {
  const source = await open(from, 'r');
  const target = await open(to, 'w');
  let count = 0;
  let sum = 0;
  try {
    const { size } = await source.stat();
    const queue = messages(size);
    const carry = async () => {
      for (const { position, length } of queue) {
        const buffer = await acquire(pool, length);
        try {
          const { bytesRead } = await source.read(buffer, 0, length, position);
          if (bytesRead !== length) throw new Error(`${from} became shorter`);
          sum = (sum + crc32(buffer)) >>> 0;
          await target.write(buffer, 0, length, position);
          count++;
        } finally {
          pool.release(buffer);
        }
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, carry));
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
  return { count, sum };
}
