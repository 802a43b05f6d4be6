// What a program can do about the bytes that it loses to rounding.

import { blockBytesFor, type SizeWaste } from './sizes.ts';

// As much as a header, which could be kept elsewhere, may be: a part of the request, and bytes.
const HEADER_PART = 1 / 8;
const HEADER_BYTES = 512;

/** Fewer blocks than these do not fill slabs. */
const SLAB_BLOCKS = 32;

/** A remedy that saves less than this part of the memory is not worth the trouble. */
const WORTH_IT = 0.01;
const MOST = 5;

/** The size that a remedy is for. */
export interface RemedyOfSize {
  /** The size asked for. */
  readonly bytes: number;
  /** What it takes now. */
  readonly blockBytes: number;
  /** How many such blocks are live at the peak. */
  readonly liveAtPeak: number;
  /** Bytes that it saves in these blocks. The arena may need more or less than that: see {@link Advice.remedied}. */
  readonly savesBytes: number;
}

/**
 * What can be done about one size.
 *
 * - `SHRINK`: `excessBytes` fewer, and a block takes half. They may be a header that can be kept elsewhere, so they are
 *   not counted as saved. For sizes that exceed a power of two by at most an eighth of themselves and 512 bytes.
 * - `SLAB`: cut them from larger blocks, side by side. For sizes of which 32 or more are live at the peak.
 * - `SPLIT`: two blocks instead of one, the first for half of what it takes now, the second for the rest; `pieces` is
 *   what these take.
 */
export type Remedy =
  | (RemedyOfSize & { readonly kind: 'SHRINK'; readonly excessBytes: number })
  | (RemedyOfSize & { readonly kind: 'SLAB' })
  | (RemedyOfSize & { readonly kind: 'SPLIT'; readonly pieces: readonly [number, number] });

/**
 * The remedies against rounding in units of `unit` bytes that save 1 % of `totalBytes` or more, one a size, at most five,
 * the best first.
 */
export function remediesFor(sizes: readonly SizeWaste[], unit: number, totalBytes: number): Remedy[] {
  return sizes
    .map((size) => remedyFor(size, unit))
    .filter((remedy) => remedy !== undefined)
    .filter(({ savesBytes }) => savesBytes >= WORTH_IT * totalBytes)
    .sort((a, b) => b.savesBytes - a.savesBytes)
    .slice(0, MOST);
}

function remedyFor(
  { bytes, blockBytes, liveAtPeak, wastedAtPeak }: SizeWaste,
  unit: number,
): Remedy | undefined {
  const size = { bytes, blockBytes, liveAtPeak };
  const half = blockBytes / 2;
  const excessBytes = bytes - half;
  const halves = blockBytes > unit;
  if (halves && excessBytes <= Math.min(HEADER_PART * bytes, HEADER_BYTES)) {
    return { kind: 'SHRINK', ...size, excessBytes, savesBytes: (half - excessBytes) * liveAtPeak };
  }
  if (liveAtPeak >= SLAB_BLOCKS) return { kind: 'SLAB', ...size, savesBytes: wastedAtPeak };
  if (!halves) return undefined;
  const rest = blockBytesFor(excessBytes, unit);
  return { kind: 'SPLIT', ...size, pieces: [half, rest], savesBytes: (half - rest) * liveAtPeak };
}
