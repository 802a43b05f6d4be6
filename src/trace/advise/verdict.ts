// Whether the buddy system suits a trace, and why. docs/advise.md justifies the thresholds.

import type { Rivals } from './rivals.ts';
import type { SizeWaste } from './sizes.ts';
import type { UnitFigures } from './units.ts';

/** What sizes spread evenly between two powers of two cost: 2 / 1.5. */
const EVEN_SPREAD = 4 / 3;

/** Half way from there to 2, which the worst sizes cost. */
const HALF_WAY_TO_WORST = 5 / 3;

// What is less than these parts decides nothing.
const WORTH_NAMING = 0.05;
const SIZE_WORTH_NAMING = 0.1;
const SIZES_NAMED = 3;

/**
 * Whether the buddy system suits, judged by the bytes of the smallest arena and its state against those of a
 * first-fit heap: at most 4/3 of them, at most 5/3, or more.
 */
export type Verdict = 'suits well' | 'suits, at a price' | 'does not suit';

/**
 * What the verdict rests on.
 *
 * - `FIRST_FIT`: `ratio` is the bytes of arena and state / those of a first-fit heap. Always the first.
 * - `ROUNDING`: at the peak, `bytes` of the blocks that were not asked for, a `share` of all bytes in blocks.
 *   Always the second.
 * - `SIZE`: of these, a `share` is lost to requests for `bytes`, each of which takes `blockBytes`. At most three, each
 *   of a tenth or more.
 * - `GAPS`: `bytes` of the arena are not in use even at the peak, a `share` of arena and state; where it is 5 % or more.
 * - `STATE`: the allocator's state takes `bytes`, a `share` of arena and state; where it is 5 % or more.
 */
export type Reason =
  | { readonly code: 'FIRST_FIT'; readonly ratio: number }
  | { readonly code: 'ROUNDING' | 'GAPS' | 'STATE'; readonly bytes: number; readonly share: number }
  | { readonly code: 'SIZE'; readonly bytes: number; readonly blockBytes: number; readonly share: number };

/** The verdict on a ratio of the bytes that arena and state take to those of a first-fit heap. */
export function verdictOn(ratio: number): Verdict {
  if (ratio <= EVEN_SPREAD) return 'suits well';
  return ratio <= HALF_WAY_TO_WORST ? 'suits, at a price' : 'does not suit';
}

/** Why a trace takes what it takes in units of one size. `sizes` are those of {@link countSizes} in the same units. */
export function reasonsFor(figures: UnitFigures, sizes: readonly SizeWaste[], rivals: Rivals): Reason[] {
  const { unit, smallest, peakUsedUnits, liveBytesAtPeak, internalAtPeak } = figures;
  const reasons: Reason[] = [
    { code: 'FIRST_FIT', ratio: smallest.totalBytes / rivals.firstFitBytes },
    { code: 'ROUNDING', bytes: peakUsedUnits * unit - liveBytesAtPeak, share: internalAtPeak },
  ];
  for (const { bytes, blockBytes, shareAtPeak } of sizes.slice(0, SIZES_NAMED)) {
    if (shareAtPeak >= SIZE_WORTH_NAMING) {
      reasons.push({ code: 'SIZE', bytes, blockBytes, share: shareAtPeak });
    }
  }
  const name = (code: 'GAPS' | 'STATE', bytes: number): void => {
    const share = bytes / smallest.totalBytes;
    if (share >= WORTH_NAMING) reasons.push({ code, bytes, share });
  };
  name('GAPS', smallest.arenaBytes - peakUsedUnits * unit);
  name('STATE', smallest.stateBytes);
  return reasons;
}
