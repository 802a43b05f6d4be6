// Numbers as the page writes them.

import { plural } from '../src/base/readable.ts';
import { UNIT } from './model/operations.ts';

export { count, percent, plural } from '../src/base/readable.ts';

/** "1 unit", "2 units". */
export function units(n: number): string {
  return plural(n, 'unit');
}

/** A number of units or bytes, short: exact if it is a multiple of a power of 1024. */
export function short(n: number): string {
  if (n >= 2 ** 20) return `${Number((n / 2 ** 20).toFixed(2))} Mi`;
  return n >= 2 ** 10 ? `${Number((n / 2 ** 10).toFixed(2))} Ki` : String(n);
}

/** The size of `n` units in bytes. */
export function bytes(n: number): string {
  return n * UNIT >= 1024 ? `${short(n * UNIT)}B` : `${n * UNIT} bytes`;
}
