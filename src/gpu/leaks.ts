// The report of ranges that are live when their pool is destroyed.

/** A range, as far as the report goes. */
interface Leak {
  readonly label: string;
  readonly size: number;
}

/** `count` things, in words. */
const ranges = (count: number): string => `${count} ${count === 1 ? 'range' : 'ranges'}`;

/**
 * The number and bytes of `leaks` in one line, by label, those with the most bytes first. O(leaks + labels * log
 * labels).
 */
export function leakMessage(poolLabel: string, leaks: readonly Leak[]): string {
  const byLabel = new Map<string, { count: number; bytes: number }>();
  for (const { label, size } of leaks) {
    const sum = byLabel.get(label) ?? { count: 0, bytes: 0 };
    byLabel.set(label, { count: sum.count + 1, bytes: sum.bytes + size });
  }
  const parts = [...byLabel]
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([label, { count, bytes }]) => {
      const name = label === '' ? 'without a label' : JSON.stringify(label);
      return `${name}: ${ranges(count)}, ${bytes} bytes`;
    });
  const pool = poolLabel === '' ? 'a pool' : `the pool ${JSON.stringify(poolLabel)}`;
  return `${pool} is destroyed with ${ranges(leaks.length)} not freed: ${parts.join('; ')}`;
}
