// Runs operations on several allocators at once, forwards and backwards. To go back, it starts from a checkpoint: copies
// of the allocators' states, taken at regular distances.

import { BuddyAllocator } from '../../src/index.ts';
import { BestFitBuddy } from './best-fit-buddy.ts';
import type { Contender, Figures } from './contender.ts';
import { FirstFit } from './first-fit.ts';
import { type Operations, UNIT, unitsOf } from './operations.ts';
import { Ours } from './ours.ts';
import { Ranges } from './ranges.ts';
import { HeapSlabs } from './slabs.ts';

/** Samples of a trace, the points of its curves. */
const SAMPLES = 512;
/** Checkpoints of a trace, and the limit on their memory. */
const CHECKPOINTS = 64;
const CHECKPOINT_BYTES = 2 ** 27;
/** A checkpoint takes about so many times the state of the package's allocator. */
const SAVED = 4;
/** Least distance between checkpoints: in a short trace, and between operations by hand. */
const LEAST_DISTANCE = 64;
/** Operations between two reads of the clock. */
const SLICE = 16;

/** One of the allocators of a timeline. */
export interface Track {
  readonly contender: Contender;
  /** Offset of every block, by id; -1 if it found no room. */
  offsets: Int32Array;
  /** Allocations that found no room. */
  failures: number;
}

/** A point of the curves. */
export interface Sample {
  readonly position: number;
  /** One entry per track. */
  readonly figures: readonly Figures[];
}

/** The operation just before the present position. */
export interface Last {
  /** Units asked for; 0 for a free. */
  readonly units: number;
  /** Offset of the block; -1 if it found no room. */
  readonly offset: number;
  /** The package's state before the operation. */
  readonly before: Int32Array;
}

interface Checkpoint {
  readonly nextId: number;
  readonly liveBlocks: number;
  readonly liveBytes: number;
  readonly failures: readonly number[];
  readonly saves: readonly unknown[];
}

/** Operations, the allocators that run them, and the position that they have reached. */
export class Timeline {
  readonly capacity: number;
  readonly ours: Ours;
  readonly ranges: Ranges;
  readonly slabs: HeapSlabs;
  readonly tracks: readonly Track[];
  readonly operations: Operations;
  /** Number of live blocks of the package's allocator, and the bytes asked for them. */
  liveBlocks = 0;
  liveBytes = 0;
  /** Undefined at the start, and while a seek is under way. */
  last: Last | undefined;
  /** By position / sampling distance, up to the furthest position so far. */
  #samples: Sample[] = [];
  /** By position / checkpoint distance, likewise. */
  #checkpoints: Checkpoint[] = [];
  readonly #sampleDistance: number;
  readonly #checkpointDistance: number;
  #position = 0;
  #figures: readonly Figures[] | undefined;
  #nextId = 0;
  /** Bytes asked for, by id. */
  #bytes: Int32Array;

  /** @param capacity units, a power of two. */
  constructor(operations: Operations, capacity: number) {
    this.operations = operations;
    this.capacity = capacity;
    this.ours = new Ours(capacity);
    this.ranges = new Ranges(capacity);
    this.slabs = new HeapSlabs(capacity);
    const ids = Math.max(64, operations.length);
    const others = [this.ranges, this.slabs, new FirstFit(capacity), new BestFitBuddy(capacity)];
    this.tracks = [this.ours, ...others].map((contender) => ({
      contender,
      offsets: new Int32Array(ids),
      failures: 0,
    }));
    this.#bytes = new Int32Array(ids);
    const room = Math.floor(CHECKPOINT_BYTES / (SAVED * BuddyAllocator.bytesFor(capacity)));
    const checkpoints = Math.max(4, Math.min(CHECKPOINTS, room));
    const { length } = operations;
    this.#checkpointDistance = Math.max(LEAST_DISTANCE, Math.ceil(length / checkpoints));
    this.#sampleDistance = Math.max(1, Math.ceil(length / SAMPLES));
    this.#note();
  }

  /** Number of operations that have run. */
  get position(): number {
    return this.#position;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Figures of all tracks at the present position. Computed once per position. */
  figures(): readonly Figures[] {
    this.#figures ??= this.tracks.map(({ contender }) => contender.figures());
    return this.#figures;
  }

  /** Part of the bytes in live blocks that was not asked for. */
  get internalFragmentation(): number {
    const used = (this.capacity - this.ours.allocator.freeUnits) * UNIT;
    return used === 0 ? 0 : 1 - this.liveBytes / used;
  }

  /** Moves towards `target` for about `budget` milliseconds. Returns whether it has reached it. */
  seek(target: number, budget: number): boolean {
    if (target === this.#position) return true;
    this.#jump(target);
    const begin = performance.now();
    while (this.#position < target) {
      this.#run(Math.min(target, this.#position + SLICE), target);
      if (performance.now() - begin > budget) break;
    }
    if (this.#position !== target) this.last = undefined;
    return this.#position === target;
  }

  /**
   * Drops the operations after the present position and allocates `units`. Returns the offset; -1 if there is no room.
   */
  alloc(units: number): number {
    this.#append(units * UNIT);
    return this.last?.offset ?? -1;
  }

  /** Drops the operations after the present position and frees the live block at `offset`. */
  free(offset: number): void {
    this.#append(~this.idAt(offset));
  }

  /** Id of the live block at `offset`: the last id that got this offset. */
  idAt(offset: number): number {
    return this.tracks[0].offsets.lastIndexOf(offset, this.#nextId - 1);
  }

  /** Bytes asked for the live block at `offset`. */
  bytesAt(offset: number): number {
    return this.#bytes[this.idAt(offset)];
  }

  #append(entry: number): void {
    this.operations.append(this.#position, entry);
    this.#samples.length = Math.min(
      this.#samples.length,
      Math.floor(this.#position / this.#sampleDistance) + 1,
    );
    this.#checkpoints.length = Math.min(
      this.#checkpoints.length,
      Math.floor(this.#position / this.#checkpointDistance) + 1,
    );
    this.#makeRoom();
    this.#run(this.#position + 1, this.#position + 1);
  }

  #makeRoom(): void {
    if (this.#nextId < this.#bytes.length) return;
    const enlarge = (from: Int32Array): Int32Array => {
      const larger = new Int32Array(2 * from.length);
      larger.set(from);
      return larger;
    };
    this.#bytes = enlarge(this.#bytes);
    for (const track of this.tracks) track.offsets = enlarge(track.offsets);
  }

  /** Loads the last checkpoint before `target`, unless the present position is nearer. */
  #jump(target: number): void {
    const distance = this.#checkpointDistance;
    const index = Math.min(Math.floor(target / distance), this.#checkpoints.length - 1);
    // The last operation must run, so that `last` is known.
    const best = index > 0 && index * distance === target ? index - 1 : index;
    const isBehind = target < this.#position;
    if (!isBehind && best * distance <= this.#position) return;
    const { nextId, liveBlocks, liveBytes, failures, saves } = this.#checkpoints[best];
    this.#figures = undefined;
    this.#position = best * distance;
    this.#nextId = nextId;
    this.liveBlocks = liveBlocks;
    this.liveBytes = liveBytes;
    this.last = undefined;
    this.tracks.forEach((track, i) => {
      track.failures = failures[i];
      track.contender.load(saves[i]);
    });
  }

  #run(end: number, target: number): void {
    for (; this.#position < end; this.#note()) {
      const entry = this.operations.at(this.#position);
      // The page shows the last operation before the target.
      const before = this.#position === target - 1 ? this.ours.state.slice() : undefined;
      const last = entry < 0 ? this.#free(~entry) : this.#alloc(entry);
      if (before !== undefined) this.last = { ...last, before };
      this.#position++;
      this.#figures = undefined;
    }
  }

  #alloc(bytes: number): { units: number; offset: number } {
    const id = this.#nextId++;
    const units = unitsOf(bytes);
    this.#bytes[id] = Math.max(1, bytes);
    for (const track of this.tracks) {
      const offset = track.contender.alloc(units);
      track.offsets[id] = offset;
      if (offset < 0) track.failures++;
    }
    const offset = this.tracks[0].offsets[id];
    if (offset >= 0) {
      this.liveBlocks++;
      this.liveBytes += this.#bytes[id];
    }
    return { units, offset };
  }

  /** The frees of blocks that found no room are skipped. */
  #free(id: number): { units: number; offset: number } {
    const units = unitsOf(this.#bytes[id]);
    for (const { contender, offsets } of this.tracks) {
      if (offsets[id] >= 0) contender.free(offsets[id], units);
    }
    const offset = this.tracks[0].offsets[id];
    if (offset >= 0) {
      this.liveBlocks--;
      this.liveBytes -= this.#bytes[id];
    }
    return { units: 0, offset };
  }

  /** Takes a sample and a checkpoint if they are due and missing. */
  #note(): void {
    const position = this.#position;
    const sample = position / this.#sampleDistance;
    if (sample === this.#samples.length) this.#samples.push({ position, figures: this.figures() });
    const checkpoint = position / this.#checkpointDistance;
    if (checkpoint !== this.#checkpoints.length) return;
    this.#checkpoints.push({
      nextId: this.#nextId,
      liveBlocks: this.liveBlocks,
      liveBytes: this.liveBytes,
      failures: this.tracks.map(({ failures }) => failures),
      saves: this.tracks.map(({ contender }) => contender.save()),
    });
  }
}
