// Where the units of a region whose end does not move are counted from.

/**
 * A place for unit 0 of a region of the bytes from `first` up to `end`: the last multiple, not beyond `first`, of a power of two
 * that no block of the region exceeds. The arena is then less than twice as large as the region, wherever that lies.
 */
export function unitZeroFor(unit: number, first: number, end: number): number {
  const units = Math.max(1, Math.floor(end / unit) - Math.floor(first / unit));
  const largest = unit * 2 ** Math.floor(Math.log2(units));
  return Math.floor(first / largest) * largest;
}
