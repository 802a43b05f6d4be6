// Checks of the values that callers pass. They throw a TypeError for the wrong kind of value, and a RangeError for a number
// of the right kind that is out of range.

/** Largest capacity of an arena, in units: offsets and sizes stay int32 with room to spare. */
export const MAX_CAPACITY = 2 ** 30;

/** `value`, after a check that it is a number of any kind. */
export function checkNumber(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be of type number, not ${typeof value}`);
  return value;
}

/** `value`, after a check that it is an object, as options are. */
export function checkObject<T>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${name} must be of type object, not ${value === null ? 'null' : typeof value}`);
  }
  return value;
}

/** `value`, after a check that it is a boolean. */
export function checkBoolean(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') {
    throw new TypeError(`${name} must be of type boolean, not ${typeof value}`);
  }
  return value;
}

/** `value`, after a check that it is an integer from `low` up, however large. */
export function checkInteger(name: string, value: number, low = 0): number {
  if (!Number.isInteger(checkNumber(name, value)) || value < low) {
    const wanted = low === 1 ? 'a positive integer' : `an integer from ${low} up`;
    throw new RangeError(`${name} must be ${wanted}, not ${value}`);
  }
  return value;
}

/** `value`, after a check that it is an integer from `low` to `high`. */
export function checkWithin(name: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(checkNumber(name, value)) || value < low || value > high) {
    throw new RangeError(`${name} must be an integer from ${low} to ${high}, not ${value}`);
  }
  return value;
}

/** Whether the number `value` is a power of two from `low`, at least 1, to `high`. */
export function isPowerOfTwo(value: number, low: number, high: number): boolean {
  return value >= low && value <= high && Number.isInteger(Math.log2(value));
}

/** `value`, after a check that it is a power of two from `low` to `high`. */
export function checkPowerOfTwo(name: string, value: number, low: number, high: number): number {
  if (!isPowerOfTwo(checkNumber(name, value), low, high)) {
    throw new RangeError(`${name} must be a power of two from ${low} to ${high}, not ${value}`);
  }
  return value;
}

/** `value`, after a check that it is a size: an integer from 1 up, however large. */
export function checkSize(value: number): number {
  return checkInteger('size', value, 1);
}

/** `value`, after a check that it is the index of a unit in an arena of `capacity` units. */
export function checkOffset(name: string, value: number, capacity: number): number {
  return checkWithin(name, value, 0, capacity - 1);
}

/** The end of the range of `size` units from `offset` on, after a check that an arena of `capacity` units holds it. */
export function checkRange(offset: number, size: number, capacity: number): number {
  checkOffset('offset', offset, capacity);
  if (checkSize(size) > capacity - offset)
    throw new RangeError(`${size} units from ${offset} on reach beyond the capacity ${capacity}`);
  return offset + size;
}

/** `value`, after a check that it is a capacity, in units. */
export function checkCapacity(value: number): number {
  return checkWithin('capacity', value, 1, MAX_CAPACITY);
}

/** `value`, after a check that it is a string of at most `most` UTF-16 units. */
export function checkText(name: string, value: string, most: number): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be of type string, not ${typeof value}`);
  if (value.length > most)
    throw new RangeError(`${name} must have at most ${most} characters, not ${value.length}`);
  return value;
}
