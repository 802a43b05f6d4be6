// What a heap's blocks take, from the documentation alone: an oracle for tests.

import type { HeapOptions } from '../../src/heap.ts';

/** The sizes of a heap's parts, in bytes. */
export interface Room {
  readonly unit: number;
  readonly page: number;
  /** 0 if there are no slots. */
  readonly largestSlot: number;
}

/** The parts of a heap of `options` that never has more than the bytes up to `highest`. */
export function roomOf({ unit = 16, start = 0 }: Pick<HeapOptions, 'unit' | 'start'>, highest: number): Room {
  let page = 64;
  while (page < 1024 && (2 * page) ** 2 <= 8 * (highest - start)) page *= 2;
  if (highest - start >= 65_536) page = 1024;
  page = Math.max(page, unit);
  const largestSlot = page === unit ? 0 : page < 1024 ? page / 2 : 8192;
  return { unit, page, largestSlot };
}

/** Bytes that a fresh block of `bytes` bytes at a multiple of `alignment` takes. */
export function roomFor({ unit, page, largestSlot }: Room, bytes: number, alignment = 1): number {
  const multiple = alignment <= page ? Math.max(unit, alignment) : unit;
  const size = Math.ceil(Math.max(1, bytes) / multiple) * multiple;
  if (size > largestSlot || alignment > page) return Math.ceil(Math.max(1, bytes) / page) * page;
  return slotUnits(size / unit) * unit;
}

/** The least number from `units` up that has at most four significant bits: that is what size classes have. */
export function slotUnits(units: number): number {
  let n = units;
  while (!/^[01]{1,4}0*$/.test(n.toString(2))) n++;
  return n;
}
