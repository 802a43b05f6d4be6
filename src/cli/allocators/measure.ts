// One trace on one allocator: the memory that it takes, the time, and the moment with the most live bytes.

import { float64s } from '../../trace/memory.ts';
import type { Trace } from '../../trace.ts';
import type { Contender, Create, Demand } from './contender.ts';

// The first passes also pay for compilation, and others for what else the machine does: the best of several counts.
const TIMED_ROUNDS = 3;
const TIMED_MS = 250;

/**
 * The first memory that a heap gets: so many times the peak, and room for a small heap's own data. It doubles until
 * it does.
 */
const FIRST_ROOM = 1.5;
const OWN_ROOM = 2 ** 15;

/** 4 GiB, the most that a heap can address. */
const MOST_ROOM = 2 ** 32;

/** The most bytes that are asked for at a time, and when. */
export interface Peak {
  /** Operations done when the peak is reached for the first time. */
  readonly operations: number;
  readonly liveBytes: number;
}

/** The peak of a trace. O(n). */
export function peakOf(trace: Trace): Peak {
  const sizes = float64s(trace.allocations);
  let id = 0;
  let live = 0;
  let liveBytes = 0;
  let operations = 0;
  trace.ops.forEach((op, index) => {
    if (op < 0) live -= sizes[~op];
    else {
      sizes[id] = Math.max(1, op);
      live += sizes[id++];
      if (live > liveBytes) {
        liveBytes = live;
        operations = index + 1;
      }
    }
  });
  return { operations, liveBytes };
}

/** A live block: where it is, and the bytes that were asked for. */
export interface PlacedBlock {
  readonly address: number;
  readonly bytes: number;
}

/** What a trace takes on an allocator. */
export interface Footprint {
  /** Bytes from address 0 to the end of the highest block that there ever is. */
  readonly memoryBytes: number;
  /** Bytes of the allocator's state outside that memory. */
  readonly stateBytes: number;
  /** Both together. */
  readonly totalBytes: number;
  /** Allocations that found no room. The frees of such blocks are passed over. */
  readonly failures: number;
}

/** A replay: {@link Footprint}, the live blocks at the peak, and what the allocator was made for. */
export interface Measured extends Footprint {
  readonly atPeak: readonly PlacedBlock[];
  readonly demand: Demand;
}

/** Replays a trace, in units of `unit` bytes, up to its `peak` and from there to its end. O(n log n). */
export function measure(trace: Trace, create: Create, unit: number, peak: Peak): Measured {
  const first = Math.ceil(FIRST_ROOM * peak.liveBytes) + OWN_ROOM;
  for (let mostBytes = Math.min(first, MOST_ROOM); ; mostBytes = Math.min(2 * mostBytes, MOST_ROOM)) {
    const measured = measureIn(trace, create, { unit, mostBytes }, peak);
    if (measured.failures === 0 || mostBytes === MOST_ROOM) return measured;
  }
}

/** {@link measure} in memory of one size. */
function measureIn(trace: Trace, create: Create, demand: Demand, peak: Peak): Measured {
  const contender = create(demand);
  const pass = new Pass(trace, contender);
  pass.run(peak.operations);
  const atPeak = pass.liveBlocks();
  pass.run(trace.ops.length);
  const { highest: memoryBytes, failures } = pass;
  const stateBytes = contender.stateBytes(memoryBytes);
  return { memoryBytes, stateBytes, totalBytes: memoryBytes + stateBytes, failures, atPeak, demand };
}

/** An allocator to be timed: how it is made, and for what. */
export interface Timed {
  readonly create: Create;
  readonly demand: Demand;
}

/**
 * Nanoseconds per operation of each allocator: the best of three passes over the trace or more, each on a fresh
 * allocator. The allocators take turns, so that a busy machine slows all of them.
 */
export function timesOf(trace: Trace, allocators: readonly Timed[]): number[] {
  const best = allocators.map(() => Number.POSITIVE_INFINITY);
  const begin = performance.now();
  for (let round = 0; round < TIMED_ROUNDS || performance.now() - begin < TIMED_MS; round++) {
    allocators.forEach(({ create, demand }, i) => {
      const pass = new Pass(trace, create(demand));
      const start = performance.now();
      pass.run(trace.ops.length);
      best[i] = Math.min(best[i], performance.now() - start);
    });
  }
  return best.map((elapsed) => (elapsed * 1e6) / trace.ops.length);
}

/** A trace on its way through an allocator. */
class Pass {
  /** The end of the highest block so far. */
  highest = 0;
  failures = 0;
  readonly #trace: Trace;
  readonly #contender: Contender;
  /** By id: the address, -1 if there was no room, -2 after the free; and the bytes asked for. */
  readonly #addresses: Float64Array;
  readonly #bytes: Float64Array;
  #index = 0;
  #id = 0;

  constructor(trace: Trace, contender: Contender) {
    this.#trace = trace;
    this.#contender = contender;
    this.#addresses = float64s(trace.allocations);
    this.#bytes = float64s(trace.allocations);
  }

  /** Runs the operations before the index `end`. */
  run(end: number): void {
    const { ops } = this.#trace;
    for (; this.#index < end; this.#index++) {
      const op = ops[this.#index];
      if (op < 0) this.#free(~op);
      else this.#allocate(Math.max(1, op));
    }
  }

  liveBlocks(): PlacedBlock[] {
    const blocks: PlacedBlock[] = [];
    for (let id = 0; id < this.#id; id++) {
      if (this.#addresses[id] >= 0) blocks.push({ address: this.#addresses[id], bytes: this.#bytes[id] });
    }
    return blocks;
  }

  #allocate(bytes: number): void {
    const address = this.#contender.allocate(bytes);
    this.#addresses[this.#id] = address;
    this.#bytes[this.#id++] = bytes;
    if (address < 0) this.failures++;
    else if (address + bytes > this.highest) {
      this.highest = address + this.#contender.blockBytes(address, bytes);
    }
  }

  #free(id: number): void {
    const address = this.#addresses[id];
    if (address < 0) return;
    this.#contender.free(address, this.#bytes[id]);
    this.#addresses[id] = -2;
  }
}
