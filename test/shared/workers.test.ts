// Worker threads on one shared arena, with patterns in all blocks, which any worker may free. The short form of
// test/long/shared-soak.ts.

import { describe, expect, it } from 'vitest';
import { type ChurnSetting, churn } from '../support/shared-churn.ts';

const settings: Omit<ChurnSetting, 'operations' | 'seed'>[] = [
  { capacity: 16, trackOwners: false, workers: 4, most: 4, fill: 1.2 },
  { capacity: 17, trackOwners: true, workers: 3, most: 2, fill: 1.2 },
  { capacity: 40, trackOwners: false, workers: 2, most: 5, fill: 0.6 },
  { capacity: 256, trackOwners: true, workers: 4, most: 8, fill: 0.5 },
  { capacity: 300, trackOwners: false, workers: 8, most: 6, fill: 1.2 },
  { capacity: 300, trackOwners: true, workers: 4, most: 0, fill: 1.2 },
  { capacity: 100_000, trackOwners: false, workers: 4, most: 7, fill: 0.8 },
  { capacity: 2 ** 16, trackOwners: true, workers: 3, most: 6, fill: 1.1 },
];

describe('worker threads on one arena', () => {
  it.each(
    settings,
  )('$workers of them in $capacity units, filled to $fill, owners tracked: $trackOwners', async (setting) => {
    const operations = 60_000;
    const tally = await churn({ ...setting, operations, seed: 1 });
    const each = setting.workers * operations;
    expect(tally.allocations + tally.full).toBeGreaterThan(each / 4);
    expect(tally.foreign).toBeGreaterThan(100);
    if (setting.fill > 1) expect(tally.full).toBeGreaterThan(100);
    if (setting.most > 0) expect(tally.refused).toBeGreaterThan(0);
  });
});
