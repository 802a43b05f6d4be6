// An arena over time: a replay that stops a few hundred times to look at it.

import { orderOf } from '../../base/word.ts';
import { BuddyAllocator } from '../../core/allocator.ts';
import { int32s } from '../memory.ts';
import type { Trace } from '../trace.ts';
import { RegionMap } from './map.ts';
import { type Progress, unitsFor } from './pass.ts';

const SAMPLES = 256;
const REGIONS = 128;

/** The arena after some operations. */
export interface Sample {
  /** Operations done. */
  readonly operations: number;
  /** Number of live blocks. */
  readonly liveBlocks: number;
  /** Bytes asked for by the live blocks. */
  readonly liveBytes: number;
  /** Units in live blocks. */
  readonly usedUnits: number;
  /** Units of the largest free block; 0 if the arena is full. */
  readonly largestFree: number;
  /** Internal fragmentation: 1 - bytes asked for / bytes of the live blocks; 0 if no block is live. */
  readonly internalFragmentation: number;
  /** External fragmentation: 1 - largest free block / free units; 0 if nothing is free. */
  readonly externalFragmentation: number;
  /**
   * The fullness, 0 to 1, of 128 equal regions of the arena in address order, or of every unit of a smaller arena.
   * Rounded up to thousandths, so that 0 is empty.
   */
  readonly map: readonly number[];
}

/** The arena over time, and its peaks. */
export interface Samples {
  /** 256 samples at even distances, or one per operation of a shorter trace. The last shows the end. */
  readonly samples: readonly Sample[];
  /** The most bytes asked for by live blocks after any operation. */
  readonly peakLiveBytes: number;
  /** The most units in use after any operation. */
  readonly peakUsedUnits: number;
}

/** Replays a trace, and looks at the arena at even distances. Reports progress at every sample. O(n log capacity). */
export function takeSamples(trace: Trace, unit: number, capacity: number, onProgress: Progress): Samples {
  const { ops } = trace;
  const arena = new SampledArena(trace.allocations, unit, capacity);
  const count = Math.min(SAMPLES, ops.length);
  const samples: Sample[] = [];
  let index = 0;
  for (let i = 1; i <= count; i++) {
    const end = Math.floor((i * ops.length) / count);
    for (; index < end; index++) {
      const op = ops[index];
      if (op < 0) arena.free(~op);
      else arena.allocate(unitsFor(op, unit), Math.max(1, op));
    }
    samples.push(arena.sample(end));
    onProgress(end, ops.length);
  }
  return { samples, peakLiveBytes: arena.peakLiveBytes, peakUsedUnits: arena.peakUsedUnits };
}

/**
 * An allocator together with the figures that it does not keep: the bytes asked for, peaks, and a running memory
 * map.
 */
class SampledArena {
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
    this.#offsets = int32s(allocations);
    this.#bytes = int32s(allocations);
  }

  /** Allocates the block with the next id: `units` units, of which `bytes` bytes are asked for. */
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

  /** Frees the block `id`, if it found room. */
  free(id: number): void {
    const offset = this.#offsets[id];
    if (offset < 0) return;
    this.#map.remove(offset, this.#allocator.free(offset));
    this.#liveBlocks--;
    this.#liveBytes -= this.#bytes[id];
  }

  /** The arena now, after `operations` operations. */
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
