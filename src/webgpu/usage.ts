// Buffer usages, whose values the standard fixes, and what each requires of ranges.

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

/** The size of a uniform struct is a multiple of this. */
const UNIFORM_GRANULE = 16;

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

/** The multiple in bytes, a power of two, to which every size in a buffer of that usage is rounded up. */
export function granuleOf(usage: number): number {
  return usage & UNIFORM ? UNIFORM_GRANULE : COPY_ALIGNMENT;
}

/**
 * The limit on what can be bound of a buffer of that usage, and its name; null if there is none. With both uniforms and
 * storage, the larger limit: a range may be bound as the one and not as the other.
 */
export function bindingLimitOf(
  usage: number,
  limits: GpuDevice<GpuBuffer>['limits'],
): { limit: string; bytes: number } | null {
  const limitsOfUsage = [
    ...(usage & UNIFORM ? (['maxUniformBufferBindingSize'] as const) : []),
    ...(usage & STORAGE ? (['maxStorageBufferBindingSize'] as const) : []),
  ].map((limit) => ({ limit, bytes: limits[limit] }));
  return limitsOfUsage.sort((a, b) => b.bytes - a.bytes)[0] ?? null;
}
