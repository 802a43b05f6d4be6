// Buffer usages, whose values the standard fixes, and the alignment of offsets that each requires.

import { checkNumber } from '../base/arguments.ts';
import type { GpuBuffer, GpuDevice } from './types.ts';

const MAP_READ = 0x1;
const MAP_WRITE = 0x2;
const UNIFORM = 0x40;
const STORAGE = 0x80;
const QUERY_RESOLVE = 0x200;
const ALL = 0x3ff;

export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;

/** Offsets and sizes of copies and clears between buffers are multiples of this. */
export const COPY_ALIGNMENT = 4;

/** `resolveQuerySet` writes at multiples of this. */
const QUERY_ALIGNMENT = 256;

/**
 * `usage`, after a check that ranges of such a buffer can be used independently. Those of a mappable buffer cannot:
 * the queue refuses work on a buffer while any part of it is mapped.
 */
export function checkUsage(usage: number): number {
  if (!Number.isInteger(checkNumber('usage', usage)) || usage < 1 || usage > ALL) {
    throw new RangeError(`usage must be a combination of GPUBufferUsage flags, not ${usage}`);
  }
  if (usage & (MAP_READ | MAP_WRITE)) {
    throw new RangeError(
      'a buffer is mapped as a whole: ranges of MAP_READ or MAP_WRITE buffers cannot be pooled',
    );
  }
  return usage;
}

/** The alignment in bytes, a power of two, that every offset in a buffer of that usage must have. */
export function alignmentOf(usage: number, limits: GpuDevice<GpuBuffer>['limits']): number {
  return Math.max(
    COPY_ALIGNMENT,
    usage & UNIFORM ? limits.minUniformBufferOffsetAlignment : 0,
    usage & STORAGE ? limits.minStorageBufferOffsetAlignment : 0,
    usage & QUERY_RESOLVE ? QUERY_ALIGNMENT : 0,
  );
}
