// Checks of what callers pass. They throw a TypeError for the wrong kind of value, a RangeError for the wrong number.

import { MAX_CAPACITY } from '../core/layout.ts';

function checkNumber(name: string, value: number): void {
  if (typeof value !== 'number')
    throw new TypeError(`${name} must be a number of units, not a ${typeof value}`);
}

/** `value` is an integer from 1 up, however large. */
export function checkSize(value: number): void {
  checkNumber('size', value);
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`size must be a positive integer, not ${value}`);
}

/** `value` is the number of a unit in an arena of `capacity` units. */
export function checkOffset(name: string, value: number, capacity: number): void {
  checkNumber(name, value);
  if (!Number.isInteger(value) || value < 0 || value >= capacity) {
    throw new RangeError(`${name} must be an integer from 0 to ${capacity - 1}, not ${value}`);
  }
}

/** The end of the range of `size` units from `offset` on, after a check that an arena of `capacity` units holds it. */
export function checkRange(offset: number, size: number, capacity: number): number {
  checkOffset('offset', offset, capacity);
  checkSize(size);
  if (size > capacity - offset)
    throw new RangeError(`${size} units from ${offset} on reach beyond the capacity ${capacity}`);
  return offset + size;
}

/** `value`, after a check that it is a capacity. */
export function checkCapacity(value: number): number {
  checkNumber('capacity', value);
  if (!Number.isInteger(value) || value < 1 || value > MAX_CAPACITY) {
    throw new RangeError(`capacity must be an integer from 1 to 2^30, not ${value}`);
  }
  return value;
}
