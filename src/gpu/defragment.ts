// Defragmentation: chooses moves that empty buffers or enlarge their gaps.

import { BufferAllocation } from './allocation.ts';
import type { PoolBuffer, Span } from './pool-buffer.ts';

/** A move that is decided on, but not copied yet. Both spans are taken. */
export interface PlannedMove<B> {
  readonly allocation: BufferAllocation<B>;
  readonly from: Span<B>;
  readonly to: Span<B>;
}

/** How much a call may move. */
export interface Budget {
  readonly maxMoves: number;
  /** Sizes of the moved ranges together. */
  readonly maxBytes: number;
}

/** A live range of a pool buffer. */
interface Candidate<B> {
  readonly allocation: BufferAllocation<B>;
  readonly alignment: number;
  readonly from: Span<B>;
}

/**
 * Those of `movable` that are live, by the buffer that they lie in: the largest first, since they need the large holes;
 * equal ones from the last to the first.
 */
function candidates<B>(movable: Iterable<BufferAllocation<B>>): Map<PoolBuffer<B>, Candidate<B>[]> {
  const found = new Map<PoolBuffer<B>, Candidate<B>[]>();
  for (const allocation of movable) {
    const entry = BufferAllocation.entryOf(allocation);
    if (!entry?.span) continue;
    const { poolBuffer } = entry.span;
    const list = found.get(poolBuffer) ?? [];
    if (list.length === 0) found.set(poolBuffer, list);
    list.push({ allocation, alignment: entry.alignment, from: entry.span });
  }
  for (const list of found.values()) {
    list.sort((a, b) => b.from.units - a.from.units || b.from.offset - a.from.offset);
  }
  return found;
}

/**
 * Takes the lowest span below `from` that has room. `buffers` ends with the buffer of `from`. Null if none has room.
 */
function takeBelow<B>(
  buffers: readonly PoolBuffer<B>[],
  { allocation, alignment, from }: Candidate<B>,
): Span<B> | null {
  for (const poolBuffer of buffers) {
    // An empty buffer is to be destroyed, not to be filled.
    if (poolBuffer.isEmpty) continue;
    const to = poolBuffer.take(allocation.size, alignment);
    if (to === null) continue;
    if (poolBuffer !== from.poolBuffer || to.offset < from.offset) return to;
    poolBuffer.release(to);
  }
  return null;
}

/** The longest gaps of all `buffers`, added up, in bytes. */
const room = (buffers: readonly PoolBuffer<unknown>[]): number =>
  buffers.reduce((sum, { largestFree }) => sum + largestFree, 0);

/** Whether the moves will empty the last of `buffers`, or raise {@link room} above `before`. */
function isGain<B>(
  buffers: readonly PoolBuffer<B>[],
  moves: readonly PlannedMove<B>[],
  before: number,
): boolean {
  for (const { from } of moves) from.poolBuffer.release(from);
  const gain = buffers[buffers.length - 1].isEmpty || room(buffers) > before;
  for (const { from } of moves) from.poolBuffer.retake(from);
  return gain;
}

/** Frees the destinations of the moves. */
export function cancel(moves: readonly PlannedMove<unknown>[]): void {
  for (const { to } of moves) to.poolBuffer.release(to);
}

/**
 * Decides on moves and takes their destinations. Ranges move to earlier buffers, or down within their own, into gaps
 * that are free now. The moves out of a buffer are planned all together, and made only if together they are a gain. Of
 * those, as many are made now as `budget` allows, in their order: since each only goes down, the calls that follow go
 * on from there, and come to an end. O(movable * (buffers * time of a take + log movable)), whatever the budget.
 */
export function plan<B>(
  buffers: readonly PoolBuffer<B>[],
  movable: Iterable<BufferAllocation<B>>,
  budget: Budget,
): PlannedMove<B>[] {
  const planned: PlannedMove<B>[] = [];
  const byBuffer = candidates(movable);
  let bytes = budget.maxBytes;
  for (let i = buffers.length - 1; i >= 0 && planned.length < budget.maxMoves; i--) {
    const upTo = buffers.slice(0, i + 1);
    const before = room(upTo);
    const moves: PlannedMove<B>[] = [];
    for (const candidate of byBuffer.get(buffers[i]) ?? []) {
      const { allocation, from } = candidate;
      const to = takeBelow(upTo, candidate);
      if (to !== null) moves.push({ allocation, from, to });
    }
    const gain = moves.length > 0 && isGain(upTo, moves, before);
    for (const move of moves) {
      const { size } = move.allocation;
      if (gain && planned.length < budget.maxMoves && size <= bytes) {
        planned.push(move);
        bytes -= size;
      } else cancel([move]);
    }
  }
  return planned;
}
