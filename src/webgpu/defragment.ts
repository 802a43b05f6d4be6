// Which ranges to move where, so that buffers become empty or their free blocks larger; and the copies that do it.

import { type BufferAllocation, entryOf, type Place } from './allocation.ts';
import type { Arena } from './arena.ts';
import type { GpuBuffer, GpuEncoder } from './types.ts';

/** A move that is decided on: `to` is taken in its arena, and `from` still is. */
export interface PlannedMove<B extends GpuBuffer> {
  readonly allocation: BufferAllocation<B>;
  readonly from: Place<B>;
  readonly to: Place<B>;
}

/** A live range of an arena. */
interface Candidate<B extends GpuBuffer> {
  readonly allocation: BufferAllocation<B>;
  readonly alignment: number;
  readonly from: Place<B>;
}

/** Live ranges of one arena, the largest first: they need the large holes. Of the same size, the last first. */
function candidates<B extends GpuBuffer>(
  arena: Arena<B>,
  live: Iterable<BufferAllocation<B>>,
): Candidate<B>[] {
  const found: Candidate<B>[] = [];
  for (const allocation of live) {
    const entry = entryOf(allocation);
    if (entry?.place?.arena !== arena) continue;
    found.push({ allocation, alignment: entry.alignment, from: entry.place });
  }
  const size = ({ from }: Candidate<B>) => arena.allocator.sizeOf(from.at);
  return found.sort((a, b) => size(b) - size(a) || b.from.at - a.from.at);
}

/** Takes the lowest room below `from` in `arenas`, of which that of `from` is the last; null when there is none. */
function takeBelow<B extends GpuBuffer>(
  arenas: readonly Arena<B>[],
  { allocation, alignment, from }: Candidate<B>,
): Place<B> | null {
  for (const arena of arenas) {
    // An empty buffer is one to get rid of, not one to fill.
    if (arena.isEmpty) continue;
    const at = arena.take(allocation.size, alignment);
    if (at < 0) continue;
    if (arena !== from.arena || at < from.at) return { arena, at };
    arena.allocator.free(at);
  }
  return null;
}

const room = (arenas: readonly Arena<GpuBuffer>[]): number =>
  arenas.reduce((sum, { allocator }) => sum + allocator.largestFree, 0);

/** Whether the last of `arenas` is empty, or the largest free blocks together exceed `before`, once the moves are done. */
function isGain<B extends GpuBuffer>(
  arenas: readonly Arena<B>[],
  moves: readonly PlannedMove<B>[],
  before: number,
): boolean {
  const sizes = moves.map(({ from }) => from.arena.allocator.free(from.at));
  const gain = arenas[arenas.length - 1].isEmpty || room(arenas) > before;
  moves.forEach(({ from }, i) => {
    from.arena.allocator.reserve(from.at, sizes[i]);
  });
  return gain;
}

/** Gives back what the moves have taken. */
export function cancel(moves: readonly PlannedMove<GpuBuffer>[]): void {
  for (const { to } of moves) to.arena.allocator.free(to.at);
}

/**
 * Decides on moves and takes their destinations. Ranges move towards the first of `arenas` and its first unit, into what is free
 * now. Those of one arena move only where that is a gain. O(live * (arenas + log live)).
 */
export function plan<B extends GpuBuffer>(
  arenas: readonly Arena<B>[],
  live: Iterable<BufferAllocation<B>>,
): PlannedMove<B>[] {
  const planned: PlannedMove<B>[] = [];
  for (let i = arenas.length - 1; i >= 0; i--) {
    const upTo = arenas.slice(0, i + 1);
    const before = room(upTo);
    const moves: PlannedMove<B>[] = [];
    for (const candidate of candidates(arenas[i], live)) {
      const { allocation, from } = candidate;
      const to = takeBelow(upTo, candidate);
      if (to !== null) moves.push({ allocation, from, to });
    }
    if (moves.length > 0 && isGain(upTo, moves, before)) for (const move of moves) planned.push(move);
    else cancel(moves);
  }
  return planned;
}

/** Bytes that must go through a temporary buffer at a time, since WebGPU copies only between two buffers; 0 for none. */
export function detour(moves: readonly PlannedMove<GpuBuffer>[]): number {
  return moves.reduce(
    (most, { allocation, from, to }) => (from.arena === to.arena ? Math.max(most, allocation.size) : most),
    0,
  );
}

/** Encodes the copies. `via` is there when {@link detour} asks for it; the copies of one encoder are done in order. */
export function encode<B extends GpuBuffer>(
  encoder: GpuEncoder<B>,
  moves: readonly PlannedMove<B>[],
  via: B | null,
): void {
  for (const { allocation, from, to } of moves) {
    const source = from.arena.buffer;
    const destination = to.arena.buffer;
    const sourceOffset = from.at * from.arena.unit;
    const destinationOffset = to.at * to.arena.unit;
    if (via === null || source !== destination) {
      encoder.copyBufferToBuffer(source, sourceOffset, destination, destinationOffset, allocation.size);
    } else {
      encoder.copyBufferToBuffer(source, sourceOffset, via, 0, allocation.size);
      encoder.copyBufferToBuffer(via, 0, destination, destinationOffset, allocation.size);
    }
  }
}
