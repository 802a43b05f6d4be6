// Checks of the integers that callers pass. They throw a TypeError for the wrong kind of value, a RangeError for the wrong number.

function checkNumber(name: string, value: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not a ${typeof value}`);
}

/** `value`, after a check that it is an integer from `low` up, however large. */
export function checkInteger(name: string, value: number, low = 0): number {
  checkNumber(name, value);
  if (!Number.isInteger(value) || value < low) {
    throw new RangeError(`${name} must be an integer from ${low} up, not ${value}`);
  }
  return value;
}

/** `value`, after a check that it is an integer from `low` to `high`. */
export function checkWithin(name: string, value: number, low: number, high: number): number {
  checkNumber(name, value);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`${name} must be an integer from ${low} to ${high}, not ${value}`);
  }
  return value;
}

/** `value`, after a check that it is a power of two from `low` to `high`. */
export function checkPowerOfTwo(name: string, value: number, low: number, high: number): number {
  checkNumber(name, value);
  if (!(value >= low && value <= high) || !Number.isInteger(Math.log2(value))) {
    throw new RangeError(`${name} must be a power of two from ${low} to ${high}, not ${value}`);
  }
  return value;
}
