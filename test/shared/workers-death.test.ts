// Worker threads terminated at any moment of what they do in a shared arena, and recovered by others who go on. The short form of
// what test/long/shared-soak.ts does.

import { describe, expect, it } from 'vitest';
import { killing } from '../support/shared-death.ts';
import type { LifeSetting } from '../support/shared-lives.ts';

const TRACKED: (LifeSetting & { kills: number })[] = [
  { capacity: 40, trackOwners: true, survivors: 2, mortals: 2, most: 3, fill: 0.6, kills: 20 },
  { capacity: 300, trackOwners: true, survivors: 1, mortals: 3, most: 6, fill: 1.2, kills: 20 },
  { capacity: 30_000, trackOwners: true, survivors: 2, mortals: 2, most: 7, fill: 0.5, kills: 15 },
];

describe('worker threads that are terminated', () => {
  it.each(TRACKED)('harm nobody, and $capacity units with owners tracked lose none', async (setting) => {
    const tally = await killing(setting, setting.kills, 2);
    expect(tally.kills).toBeGreaterThanOrEqual(setting.kills);
    expect(tally.verified).toBeGreaterThan(2);
    // It would be no test if all died at peace.
    expect(tally.inCall).toBeGreaterThan(0);
    console.log(`${setting.capacity} units: ${JSON.stringify(tally)}`);
  });

  it('harm nobody without tracking, where what they had is repaired in a quiet moment', async () => {
    const tally = await killing(
      { capacity: 300, trackOwners: false, survivors: 2, mortals: 2, most: 5, fill: 0.5 },
      15,
      3,
    );
    expect(tally.leakedUnits).toBeGreaterThan(0);
    expect(tally.inCall).toBeGreaterThan(0);
  });
});
