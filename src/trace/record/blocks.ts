// The live blocks of a program that is being recorded: their ids by the addresses that the program knows.

import { ReturningMap } from '../../base/returning-map.ts';

/** The largest size that an operation can have. */
const MAX_SIZE = 2 ** 31 - 1;

/** Stands for the id of a block of more than {@link MAX_SIZE} bytes, which has none. */
const OVERSIZED = -1;

/** A live block: its id, and where it ends in the units of the program. */
interface LiveBlock {
  readonly id: number;
  readonly end: number;
}

/** Turns the calls of a program into operations. Every method is O(1), amortised, unless it says otherwise. */
export class LiveBlocks {
  /** Frees of blocks that were not known. */
  skippedFrees = 0;
  /** Requests that had no room. */
  refusedRequests = 0;
  /** Blocks of more than 2^31 - 1 bytes. */
  oversizedRequests = 0;
  /** Blocks that have got an id. */
  allocations = 0;
  readonly #live = new ReturningMap<LiveBlock>();
  readonly #push: (op: number) => void;

  /** No blocks yet. `push` takes the operations, in the encoding of {@link Trace.ops}. */
  constructor(push: (op: number) => void) {
    this.#push = push;
  }

  /**
   * A block of `bytes` bytes at `start`, up to `end`: one unit more unless given, for blocks that are freed only as a
   * whole.
   */
  allocate(start: number, bytes: number, end: number = start + 1): void {
    const isOversized = bytes > MAX_SIZE;
    this.#live.set(start, { id: isOversized ? OVERSIZED : this.allocations, end });
    if (isOversized) this.oversizedRequests++;
    else {
      this.allocations++;
      this.#push(bytes);
    }
  }

  /** The block at `start` is freed as a whole. */
  free(start: number): void {
    const block = this.#live.get(start);
    if (block === undefined) this.skippedFrees++;
    else this.#remove(start, block);
  }

  /** The block at `from` is at `to` now, with `bytes` bytes. Both were there at once, if it has moved. */
  move(from: number, to: number, bytes: number): void {
    if (from === to) this.free(from);
    this.allocate(to, bytes);
    if (from !== to) this.free(from);
  }

  /**
   * The units from `start` up to `end` are freed, of `unit` bytes each. They may be several blocks, or a part of one;
   * then the rest of that block becomes a block of its own. O(blocks), but O(1) for one whole block.
   */
  freeUnits(start: number, end: number, unit: number): void {
    if (this.#live.get(start)?.end === end) {
      this.free(start);
      return;
    }
    let known = false;
    for (const first of this.#live.keys()) {
      const block = this.#live.get(first);
      if (block === undefined || first >= end || block.end <= start) continue;
      known = true;
      this.#remove(first, block);
      if (first < start) this.allocate(first, (start - first) * unit, start);
      if (block.end > end) this.allocate(end, (block.end - end) * unit, block.end);
    }
    if (!known) this.skippedFrees++;
  }

  /** All blocks are freed. O(blocks * log(blocks)). */
  clear(): void {
    for (const block of this.#live.values()) this.#pushFree(block);
    this.#live.clear();
  }

  #remove(start: number, block: LiveBlock): void {
    this.#live.delete(start);
    this.#pushFree(block);
  }

  #pushFree({ id }: LiveBlock): void {
    if (id !== OVERSIZED) this.#push(~id);
  }
}
