// Remedies against rounding: what a program can do about the bytes that it loses, and what its trace would take then.

import { int32s } from '../memory.ts';
import type { Progress } from '../replay/pass.ts';
import { type Trace, traceFromOps } from '../trace.ts';
import { blocksOf, type TraceBlocks } from './blocks.ts';
import { blockBytesFor, type SizeWaste } from './sizes.ts';
import { measureUnit } from './units.ts';

// An excess over a power of two may be a header, which could be kept elsewhere, up to this part of the request and so
// many bytes.
const HEADER_PART = 1 / 8;
const HEADER_BYTES = 512;

/** Fewer live blocks than this do not fill slabs. */
const SLAB_BLOCKS = 32;

/** A remedy that saves less than this part of the memory is not worth the trouble. */
const WORTH_IT = 0.01;
const REMEDIES_NAMED = 5;

/** The size that a remedy is for. */
export interface RemedyOfSize {
  /** The size asked for, in bytes. */
  readonly bytes: number;
  /** Bytes of the block that it gets now. */
  readonly blockBytes: number;
  /** How many such blocks are live at the peak. */
  readonly liveAtPeak: number;
  /**
   * Bytes that the remedy saves in these blocks. The arena may shrink by more or less: see {@link Advice.remedied}.
   */
  readonly savesBytes: number;
}

/**
 * A remedy for the blocks of one size.
 *
 * - `SHRINK`: ask for `excessBytes` less, and a block takes half. The excess may be a header that can be kept
 *   elsewhere, so it does not count as saved. For sizes that exceed a power of two by at most an eighth of
 *   themselves and 512 bytes.
 * - `SLAB`: cut the blocks from larger ones, side by side. For sizes of which 32 or more are live at the peak.
 * - `SPLIT`: ask for two blocks. The first has half the bytes of the present block, the second has the rest;
 *   `pieces` are the bytes that these blocks take.
 */
export type Remedy =
  | (RemedyOfSize & { readonly kind: 'SHRINK'; readonly excessBytes: number })
  | (RemedyOfSize & { readonly kind: 'SLAB' })
  | (RemedyOfSize & { readonly kind: 'SPLIT'; readonly pieces: readonly [number, number] });

/**
 * The remedies for `sizes` in units of `unit` bytes that save 1 % of `totalBytes` or more: one per size, at most
 * five, the best first.
 */
export function remediesFor(sizes: readonly SizeWaste[], unit: number, totalBytes: number): Remedy[] {
  return sizes
    .map((size) => remedyFor(size, unit))
    .filter((remedy) => remedy !== undefined)
    .filter(({ savesBytes }) => savesBytes >= WORTH_IT * totalBytes)
    .sort((a, b) => b.savesBytes - a.savesBytes)
    .slice(0, REMEDIES_NAMED);
}

/** The remedy for one size, worth it or not; undefined if there is none. */
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

/** Bytes that a request still asks of the arena under a remedy, one entry per block. */
function requestsUnder(remedy: Remedy): readonly number[] {
  switch (remedy.kind) {
    case 'SHRINK':
      return [remedy.blockBytes / 2];
    case 'SLAB':
      return [];
    case 'SPLIT':
      return remedy.pieces;
  }
}

/** Bytes of each block that a remedy puts outside the arena. */
function bytesElsewhere(remedy: Remedy): number {
  switch (remedy.kind) {
    case 'SHRINK':
      return remedy.excessBytes;
    case 'SLAB':
      return remedy.bytes;
    case 'SPLIT':
      return 0;
  }
}

/**
 * Bytes that the trace takes with the remedies, in units of `unit` bytes: the smallest arena, its state, and the
 * bytes that the remedies put elsewhere. The latter are the excess of shrunk blocks and the slots of slabs, as many
 * as are ever live at once. O(n log n).
 *
 * @returns undefined if the trace then needs more than 2^30 units.
 */
export function measureRemedied(
  trace: Trace,
  remedies: readonly Remedy[],
  blocks: TraceBlocks,
  unit: number,
  onProgress: Progress,
): number | undefined {
  const { ops, elsewhereBytes } = withRemedies(trace, remedies, blocks);
  if (ops.length === 0) return elsewhereBytes;
  const remedied = traceFromOps(ops);
  const figures = measureUnit(remedied, blocksOf(remedied), unit, onProgress);
  return figures && figures.smallest.totalBytes + elsewhereBytes;
}

/** A size, what it asks of the arena under its remedy, and how many of its blocks are live: now, and at most. */
interface Use {
  readonly remedy: Remedy;
  readonly requests: readonly number[];
  live: number;
  most: number;
}

/**
 * The operations that are left for the arena, in the encoding of {@link Trace.ops}, and the bytes put elsewhere.
 * Overwrites the offsets of the blocks: with the first new id of each.
 */
function withRemedies(
  trace: Trace,
  remedies: readonly Remedy[],
  { bytes, offsets: firstIds }: TraceBlocks,
): { ops: Int32Array; elsewhereBytes: number } {
  const uses = new Map<number, Use>(
    remedies.map((remedy) => [remedy.bytes, { remedy, requests: requestsUnder(remedy), live: 0, most: 0 }]),
  );
  let length = 0;
  let id = 0;
  for (const op of trace.ops) length += uses.get(bytes[op < 0 ? ~op : id++])?.requests.length ?? 1;
  const ops = int32s(length);
  let index = 0;
  id = 0;
  let nextId = 0;
  for (const op of trace.ops) {
    const old = op < 0 ? ~op : id++;
    const use = uses.get(bytes[old]);
    const count = use?.requests.length ?? 1;
    if (op < 0) {
      if (use !== undefined) use.live--;
      for (let i = 0; i < count; i++) ops[index++] = ~(firstIds[old] + i);
    } else {
      if (use !== undefined) use.most = Math.max(use.most, ++use.live);
      firstIds[old] = nextId;
      nextId += count;
      for (let i = 0; i < count; i++) ops[index++] = use?.requests[i] ?? op;
    }
  }
  let elsewhereBytes = 0;
  for (const { remedy, most } of uses.values()) elsewhereBytes += most * bytesElsewhere(remedy);
  return { ops, elsewhereBytes };
}
