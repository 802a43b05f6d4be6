// Defragmentation: chooses moves that empty buffers or enlarge their free blocks, and encodes the copies.

import { BufferAllocation } from './allocation.ts';
import { type BufferBlock, byteOffsetOf, type PoolBuffer } from './pool-buffer.ts';
import type { GpuBuffer, GpuEncoder } from './types.ts';

/** A move that is decided on, but not copied yet. Both blocks are live in their allocators. */
export interface PlannedMove<B extends GpuBuffer> {
  readonly allocation: BufferAllocation<B>;
  readonly from: BufferBlock<B>;
  readonly to: BufferBlock<B>;
}

/** A live range of a pool buffer. */
interface Candidate<B extends GpuBuffer> {
  readonly allocation: BufferAllocation<B>;
  readonly alignment: number;
  readonly from: BufferBlock<B>;
}

/**
 * The live ranges of one buffer: the largest first, since they need the large holes; equal ones from the last to the
 * first.
 */
function candidates<B extends GpuBuffer>(
  poolBuffer: PoolBuffer<B>,
  live: Iterable<BufferAllocation<B>>,
): Candidate<B>[] {
  const found: Candidate<B>[] = [];
  for (const allocation of live) {
    const entry = BufferAllocation.entryOf(allocation);
    if (entry?.block?.poolBuffer !== poolBuffer) continue;
    found.push({ allocation, alignment: entry.alignment, from: entry.block });
  }
  const size = ({ from }: Candidate<B>) => poolBuffer.allocator.sizeOf(from.offset);
  return found.sort((a, b) => size(b) - size(a) || b.from.offset - a.from.offset);
}

/**
 * Takes the lowest block below `from` that has room. `buffers` ends with the buffer of `from`. Null if there is no
 * room.
 */
function takeBelow<B extends GpuBuffer>(
  buffers: readonly PoolBuffer<B>[],
  { allocation, alignment, from }: Candidate<B>,
): BufferBlock<B> | null {
  for (const poolBuffer of buffers) {
    // An empty buffer is to be destroyed, not to be filled.
    if (poolBuffer.isEmpty) continue;
    const offset = poolBuffer.take(allocation.size, alignment);
    if (offset < 0) continue;
    if (poolBuffer !== from.poolBuffer || offset < from.offset) return { poolBuffer, offset };
    poolBuffer.allocator.free(offset);
  }
  return null;
}

/** The largest free blocks of all `buffers`, added up, in units. */
const room = (buffers: readonly PoolBuffer<GpuBuffer>[]): number =>
  buffers.reduce((sum, { allocator }) => sum + allocator.largestFree, 0);

/** Whether the moves will empty the last of `buffers`, or raise {@link room} above `before`. */
function isGain<B extends GpuBuffer>(
  buffers: readonly PoolBuffer<B>[],
  moves: readonly PlannedMove<B>[],
  before: number,
): boolean {
  const sizes = moves.map(({ from }) => from.poolBuffer.allocator.free(from.offset));
  const gain = buffers[buffers.length - 1].isEmpty || room(buffers) > before;
  moves.forEach(({ from }, i) => {
    from.poolBuffer.allocator.reserve(from.offset, sizes[i]);
  });
  return gain;
}

/** Frees the destinations of the moves. */
export function cancel(moves: readonly PlannedMove<GpuBuffer>[]): void {
  for (const { to } of moves) to.poolBuffer.allocator.free(to.offset);
}

/**
 * Decides on moves and takes their destinations. Ranges move to earlier buffers, or down within their own, into blocks
 * that are free now. The moves out of a buffer are made all or none: only if they are a gain. O(live * (buffers + log
 * live)).
 */
export function plan<B extends GpuBuffer>(
  buffers: readonly PoolBuffer<B>[],
  live: Iterable<BufferAllocation<B>>,
): PlannedMove<B>[] {
  const planned: PlannedMove<B>[] = [];
  for (let i = buffers.length - 1; i >= 0; i--) {
    const upTo = buffers.slice(0, i + 1);
    const before = room(upTo);
    const moves: PlannedMove<B>[] = [];
    for (const candidate of candidates(buffers[i], live)) {
      const { allocation, from } = candidate;
      const to = takeBelow(upTo, candidate);
      if (to !== null) moves.push({ allocation, from, to });
    }
    if (moves.length > 0 && isGain(upTo, moves, before)) for (const move of moves) planned.push(move);
    else cancel(moves);
  }
  return planned;
}

/**
 * Size in bytes of the temporary buffer for the moves within a buffer, which WebGPU cannot copy directly; 0 if there
 * are none.
 */
export function temporaryBytes(moves: readonly PlannedMove<GpuBuffer>[]): number {
  return moves.reduce(
    (most, { allocation, from, to }) =>
      from.poolBuffer === to.poolBuffer ? Math.max(most, allocation.size) : most,
    0,
  );
}

/** Encodes the copies, which run in order. `temporary` is null if {@link temporaryBytes} is 0. */
export function encode<B extends GpuBuffer>(
  encoder: GpuEncoder<B>,
  moves: readonly PlannedMove<B>[],
  temporary: B | null,
): void {
  for (const { allocation, from, to } of moves) {
    const source = from.poolBuffer.buffer;
    const destination = to.poolBuffer.buffer;
    if (temporary === null || source !== destination) {
      encoder.copyBufferToBuffer(source, byteOffsetOf(from), destination, byteOffsetOf(to), allocation.size);
    } else {
      encoder.copyBufferToBuffer(source, byteOffsetOf(from), temporary, 0, allocation.size);
      encoder.copyBufferToBuffer(temporary, 0, destination, byteOffsetOf(to), allocation.size);
    }
  }
}
