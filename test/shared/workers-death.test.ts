// Worker threads of a shared arena that are terminated at any moment, and recovered by others that go on. The short
// form of test/long/shared-soak.ts.

import { describe, expect, it } from 'vitest';
import { killing } from '../support/shared-death.ts';
import type { LifeSetting } from '../support/shared-lives.ts';

const TRACKED: (LifeSetting & { kills: number })[] = [
  { capacity: 40, trackOwners: true, survivors: 2, mortals: 2, most: 3, fill: 0.6, kills: 20 },
  { capacity: 300, trackOwners: true, survivors: 1, mortals: 3, most: 6, fill: 1.2, kills: 20 },
  { capacity: 30_000, trackOwners: true, survivors: 2, mortals: 2, most: 7, fill: 0.5, kills: 15 },
];

describe('worker threads that are terminated', () => {
  it.each(
    TRACKED,
  )('harm no other, and none of $capacity units is lost if owners are tracked', async (setting) => {
    const tally = await killing(setting, setting.kills, 2);
    expect(tally.kills).toBeGreaterThanOrEqual(setting.kills);
    expect(tally.verified).toBeGreaterThan(2);
    // It would not be a test if all died between two calls.
    expect(tally.inCall).toBeGreaterThan(0);
    console.log(`${setting.capacity} units: ${JSON.stringify(tally)}`);
  });

  it('harm no other without tracking, and their blocks are taken back in a quiet moment', async () => {
    const tally = await killing(
      { capacity: 300, trackOwners: false, survivors: 2, mortals: 2, most: 5, fill: 0.5 },
      15,
      3,
    );
    expect(tally.leakedUnits).toBeGreaterThan(0);
    expect(tally.inCall).toBeGreaterThan(0);
  });
});
