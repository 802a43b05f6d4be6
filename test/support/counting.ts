// Counts the elements of a typed array that an allocator reads and writes, without a hook in the allocator: while it
// is made, the array's constructor is replaced by one that returns a proxy.

import { HEADER, layoutOf } from '../../src/core/layout.ts';
import type { BuddyAllocator } from '../../src/index.ts';
import { arenaOf } from './agreement.ts';

/** What one operation, or several, did to one area of the array. */
export interface Touches {
  /** Different positions that were read or written. */
  positions: number;
  reads: number;
  writes: number;
}

/** The parts of a `BuddyAllocator`'s state, in the order in which a counter's areas stand for them. */
export const AREAS = ['header', 'words', 'index'] as const;

/** Position at which each of {@link AREAS} begins in the state of an arena of `capacity` units. */
export function areaStarts(capacity: number): readonly number[] {
  return [0, HEADER, layoutOf(capacity).index[0][0]];
}

/** Counts touches by area, from the last {@link begin} on. */
export class TouchCounter {
  readonly areas: readonly Touches[];
  readonly #starts: readonly number[];
  /** [position]: the operation that last touched it. */
  readonly #touchedIn: Uint32Array;
  #operation = 1;

  constructor(starts: readonly number[], length: number) {
    this.#starts = starts;
    this.areas = starts.map(() => ({ positions: 0, reads: 0, writes: 0 }));
    this.#touchedIn = new Uint32Array(length);
  }

  /** Different positions touched, in all areas. */
  get positions(): number {
    return this.areas.reduce((sum, { positions }) => sum + positions, 0);
  }

  /** Starts an operation: all counts are zero. */
  begin(): void {
    this.#operation++;
    for (const area of this.areas) area.positions = area.reads = area.writes = 0;
  }

  /** Counts one access. */
  note(position: number, kind: 'reads' | 'writes'): void {
    let at = this.#starts.length - 1;
    while (this.#starts[at] > position) at--;
    const area = this.areas[at];
    area[kind]++;
    if (this.#touchedIn[position] === this.#operation) return;
    this.#touchedIn[position] = this.#operation;
    area.positions++;
  }
}

type Elements = Int8Array | Int32Array;

const isIndex = (key: string | symbol): key is string => typeof key === 'string' && key >= '0' && key < ':';

function watched(elements: Elements, counter: TouchCounter): Elements {
  return new Proxy(elements, {
    get(target, key): unknown {
      if (isIndex(key)) {
        counter.note(Number(key), 'reads');
        return target[Number(key)];
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, key, value): boolean {
      counter.note(Number(key), 'writes');
      target[Number(key)] = value;
      return true;
    },
  });
}

/** Something whose typed array is watched. */
export interface Counted<T> {
  readonly made: T;
  readonly counter: TouchCounter;
}

/**
 * Calls `make`, which must make exactly one array with the global constructor `name`, and counts from then on what
 * happens to its elements. Methods of the array (`fill`, …) are not counted.
 *
 * @param starts position at which each area begins, ascending from 0
 */
export function counting<T>(
  name: 'Int8Array' | 'Int32Array',
  starts: readonly number[],
  make: () => T,
): Counted<T> {
  const original = globalThis[name];
  const counters: TouchCounter[] = [];
  const replacement = new Proxy(original, {
    construct(target, parameters): Elements {
      const elements: Elements = Reflect.construct(target, parameters);
      const counter = new TouchCounter(starts, elements.length);
      counters.push(counter);
      return watched(elements, counter);
    },
  });
  Reflect.set(globalThis, name, replacement);
  try {
    const made = make();
    if (counters.length !== 1) throw new Error(`${counters.length} arrays were made, not one`);
    return { made, counter: counters[0] };
  } finally {
    Reflect.set(globalThis, name, original);
  }
}

/** An allocator over an empty arena that counts what its operations touch in each of {@link AREAS}. */
export function countingAllocator(capacity: number, maximum?: number): Counted<BuddyAllocator> {
  return counting('Int32Array', areaStarts(maximum ?? capacity), () => arenaOf(capacity, maximum));
}

/** What can replay operations. */
interface Arena {
  alloc(size: number): number;
  free(offset: number): unknown;
}

/**
 * Replays operations: x > 0 allocates x units and gets the next id from 0; x < 0 frees the block with the id ~x, unless
 * there was no room for it. `visit` is called after each that was carried out, with its place in the sequence; the
 * counter then holds what it touched.
 */
export function replayCounting(
  { made, counter }: Counted<Arena>,
  operations: Iterable<number>,
  visit: (kind: 'alloc' | 'free', at: number) => void,
): void {
  const offsets: number[] = [];
  let at = -1;
  for (const operation of operations) {
    at++;
    if (operation > 0) {
      counter.begin();
      offsets.push(made.alloc(operation));
      visit('alloc', at);
    } else if (offsets[~operation] !== -1) {
      counter.begin();
      made.free(offsets[~operation]);
      visit('free', at);
    }
  }
}
