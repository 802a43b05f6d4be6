// The verdict whether the buddy system suits a trace, and the reasons. docs/advise.md justifies the thresholds.

import type { Rivals } from './rivals.ts';
import type { SizeWaste } from './sizes.ts';
import type { UnitFigures } from './units.ts';

/** The cost of sizes that are spread evenly between two powers of two: 2 / 1.5. */
const EVEN_SPREAD = 4 / 3;

/** Half way from there to 2, the cost of the worst sizes. */
const HALF_WAY_TO_WORST = 5 / 3;

// Parts smaller than these decide nothing.
const WORTH_NAMING = 0.05;
const SIZE_WORTH_NAMING = 0.1;
const SIZES_NAMED = 3;

/**
 * Whether the buddy system suits. The bytes of the smallest arena and its state are compared with those of a
 * first-fit heap: at most 4/3 of them, at most 5/3, or more.
 */
export type Verdict = 'suits well' | 'suits, at a price' | 'does not suit';

/**
 * A figure behind the verdict.
 *
 * - `FIRST_FIT`: `ratio` is the bytes of arena and state / those of a first-fit heap. Always the first.
 * - `ROUNDING`: `bytes` are lost to rounding at the peak, a `share` of all bytes in blocks. Always the second.
 * - `SIZE`: requests for `bytes`, each of which takes `blockBytes`, lose a `share` of these bytes. At most three
 *   sizes, each with a tenth or more.
 * - `GAPS`: `bytes` of the arena are not in use even at the peak, a `share` of arena and state. Present from 5 %
 *   up.
 * - `STATE`: the allocator's state takes `bytes`, a `share` of arena and state. Present from 5 % up.
 */
export type Reason =
  | { readonly code: 'FIRST_FIT'; readonly ratio: number }
  | { readonly code: 'ROUNDING' | 'GAPS' | 'STATE'; readonly bytes: number; readonly share: number }
  | { readonly code: 'SIZE'; readonly bytes: number; readonly blockBytes: number; readonly share: number };

/** The verdict on a ratio: bytes of arena and state / bytes of a first-fit heap. */
export function verdictOn(ratio: number): Verdict {
  if (ratio <= EVEN_SPREAD) return 'suits well';
  return ratio <= HALF_WAY_TO_WORST ? 'suits, at a price' : 'does not suit';
}

/**
 * The reasons behind the verdict on the units of `figures`. `sizes` are those of {@link countSizes} in the same
 * units.
 */
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
