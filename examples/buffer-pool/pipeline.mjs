// The pipeline: reads a file in messages of varying sizes, many at a time. For each message it computes the checksum,
// writes the message to a copy of the file, and releases its buffer.

import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const pause = promisify(setImmediate);

/** Largest number of buffers in use at the same time. */
export const IN_FLIGHT = 32;

/** Size of the largest message, in bytes. */
export const LARGEST = 2 ** 18;

/** Random sizes between 1 KiB and LARGEST, distributed log-uniformly; the same in every run. */
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

/** A buffer of the pool. If there is no room, waits until others are released. */
async function acquire(pool, length) {
  for (;;) {
    const buffer = pool.acquire(length);
    if (buffer) return buffer;
    await pause();
  }
}

/** Copies the file. Returns the number of messages, and the sum of their checksums modulo 2^32. */
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
