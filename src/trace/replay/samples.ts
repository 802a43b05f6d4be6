// The state of an arena over time: a replay that stops some hundred times to look.

import { BuddyAllocator } from '../../core/allocator.ts';
import type { Trace } from '../trace.ts';
import { RegionMap } from './map.ts';
import { opsInUnits, orderOf, type Progress } from './pass.ts';

const SAMPLES = 256;
const REGIONS = 128;

/** The state of the arena after some operations. */
export interface Sample {
  /** How many operations had run. */
  readonly operations: number;
  readonly liveBlocks: number;
  /** Bytes asked for by the live blocks. */
  readonly liveBytes: number;
  /** Units that the live blocks take. */
  readonly usedUnits: number;
  /** Units of the largest free block, 0 when the arena is full. */
  readonly largestFree: number;
  /** 1 - bytes asked for / bytes of the blocks that hold them; 0 when nothing is live. */
  readonly internalFragmentation: number;
  /** 1 - largest free block / free units; 0 when nothing is free. */
  readonly externalFragmentation: number;
  /**
   * The fullness, 0 to 1, of 128 equal regions of the arena in address order (of every unit when the capacity is
   * smaller), rounded up to thousandths: 0 is empty.
   */
  readonly map: readonly number[];
}

/** The state of the arena over time, and its peaks. */
export interface Samples {
  /** 256 samples evenly spread over the operations, or one an operation in a shorter trace; the last is the end. */
  readonly samples: readonly Sample[];
  /** The most bytes asked for by live blocks after any operation. */
  readonly peakLiveBytes: number;
  /** The most units in use after any operation. */
  readonly peakUsedUnits: number;
}

/** Replays a trace and looks at the arena at even distances. Reports progress at every sample. */
export function takeSamples(trace: Trace, unit: number, capacity: number, onProgress: Progress): Samples {
  const ops = opsInUnits(trace, unit);
  const arena = new Arena(trace.allocations, unit, capacity);
  const count = Math.min(SAMPLES, ops.length);
  const samples: Sample[] = [];
  let at = 0;
  for (let i = 1; i <= count; i++) {
    const end = Math.floor((i * ops.length) / count);
    while (at < end) {
      const op = ops[at];
      if (op < 0) arena.free(~op);
      else arena.allocate(op, Math.max(1, trace.ops[at]));
      at++;
    }
    samples.push(arena.sample(end));
    onProgress(end, ops.length);
  }
  return { samples, peakLiveBytes: arena.peakLiveBytes, peakUsedUnits: arena.peakUsedUnits };
}

/** An allocator with the books that it does not keep itself: what was asked for, peaks, and a running memory map. */
class Arena {
  peakLiveBytes = 0;
  peakUsedUnits = 0;
  readonly #allocator: BuddyAllocator;
  readonly #unit: number;
  readonly #map: RegionMap;
  readonly #offsets: Int32Array;
  readonly #bytes: Int32Array;
  #id = 0;
  #liveBlocks = 0;
  #liveBytes = 0;

  constructor(allocations: number, unit: number, capacity: number) {
    this.#allocator = new BuddyAllocator({ capacity });
    this.#unit = unit;
    this.#map = new RegionMap(capacity, REGIONS);
    this.#offsets = new Int32Array(allocations);
    this.#bytes = new Int32Array(allocations);
  }

  allocate(units: number, bytes: number): void {
    const offset = this.#allocator.alloc(units);
    this.#offsets[this.#id] = offset;
    this.#bytes[this.#id] = bytes;
    this.#id++;
    if (offset < 0) return;
    this.#map.add(offset, 2 ** orderOf(units));
    this.#liveBlocks++;
    this.#liveBytes += bytes;
    this.peakLiveBytes = Math.max(this.peakLiveBytes, this.#liveBytes);
    this.peakUsedUnits = Math.max(this.peakUsedUnits, this.#usedUnits);
  }

  free(id: number): void {
    const offset = this.#offsets[id];
    if (offset < 0) return;
    this.#map.remove(offset, this.#allocator.free(offset));
    this.#liveBlocks--;
    this.#liveBytes -= this.#bytes[id];
  }

  sample(operations: number): Sample {
    const { freeUnits, largestFree } = this.#allocator;
    const usedUnits = this.#usedUnits;
    return {
      operations,
      liveBlocks: this.#liveBlocks,
      liveBytes: this.#liveBytes,
      usedUnits,
      largestFree,
      internalFragmentation: usedUnits === 0 ? 0 : 1 - this.#liveBytes / (usedUnits * this.#unit),
      externalFragmentation: freeUnits === 0 ? 0 : 1 - largestFree / freeUnits,
      map: this.#map.fullness().map((full) => Math.ceil(full * 1000) / 1000),
    };
  }

  get #usedUnits(): number {
    return this.#allocator.capacity - this.#allocator.freeUnits;
  }
}
