// Whether a history of calls in a shared arena has an explanation: an order of moments, one or two in each call, in
// which the result of every call agrees with the specification.
//
// After Wing and Gong (JPDC 1993), in the form that goes through the calls and returns in time and keeps all possible
// states of the arena (Lowe, "Testing for linearizability", 2017). The specification:
//
// - alloc that returns an offset: at one moment all units of the block, which is aligned and inside the capacity, are
//   free, and they become taken. If owners are tracked, the block can be freed only from a second moment on, when its
//   owner is noted.
// - free that returns a size: at one moment such a block is live at the offset, and its units become free. If owners
//   are tracked, the block can no longer be freed from that moment on, and its units become free at a second moment.
// - free that is refused: at one moment the unit is free, or starts a block that cannot be freed yet or any longer
//   (NOT_ALLOCATED), or is inside a block that starts elsewhere (INTERIOR).
// - alloc that returns -1 has no moment. It is wrong if some block that fits was free from call to return, and no
//   worker was about to split or coalesce there. A history does not show the workers that are about to do that. But
//   it shows in two cases that there is none: if no other call overlaps with this one; and, for orders up to 3, if in
//   the 16 aligned units around the block some smaller block is taken all the time, or the capacity cuts them: then
//   the word of these units is open all the time. In these cases, and only in these, a free block makes -1 wrong.

import { orderOf } from '../../src/base/word.ts';

/** A call, with the moments of call and return. All moments are of one clock, and different. */
export type Call = {
  readonly worker: number;
  /** The requested units, or the offset to free. */
  readonly argument: number;
  readonly called: number;
  readonly returned: number;
} & (
  | { readonly kind: 'alloc'; readonly result: number }
  | { readonly kind: 'free'; readonly result: number | 'NOT_ALLOCATED' | 'INTERIOR' }
);

export interface Live {
  readonly offset: number;
  readonly size: number;
}

export interface Arena {
  readonly capacity: number;
  readonly trackOwners: boolean;
}

/** Units that one word of the lowest level describes. */
const WORD = 16;

/** A possible state of the arena. */
interface State {
  /** [offset]: the size of the block that starts there; 0 if there is none. */
  readonly starts: Uint16Array;
  /** [offset]: 1 if the block that starts there can be freed. */
  readonly owned: Uint8Array;
  /** [unit]: 1 if it is taken. */
  readonly taken: Uint8Array;
  /** [call]: how many of its moments have passed. */
  readonly passed: Uint8Array;
  /** For each failing alloc that has not returned: the offsets of the blocks that make its -1 wrong so far. */
  readonly against: ReadonlyMap<number, readonly number[]>;
}

export const roundedUp = (units: number): number => 2 ** orderOf(units);

/** Whether the calls overlap in time. */
export const overlap = (a: Call, b: Call): boolean => a.called < b.returned && b.called < a.returned;

const isFull = (call: Call): boolean => call.kind === 'alloc' && call.result === -1;

function keyOf({ passed, against }: State): string {
  // The live blocks follow from the moments that have passed.
  return `${passed.join('')} ${[...against].map(([call, offsets]) => `${call}: ${offsets.join(' ')}`).join('; ')}`;
}

export class History {
  readonly #arena: Arena;
  readonly #calls: readonly Call[];
  /** [call]: whether another one overlaps with it. */
  readonly #contended: readonly boolean[];

  constructor(arena: Arena, calls: readonly Call[]) {
    this.#arena = arena;
    this.#calls = calls;
    this.#contended = calls.map((call) => calls.some((other) => other !== call && overlap(call, other)));
  }

  /** The live blocks after the calls, if `before` are the live blocks before them; null if there is no explanation. */
  explain(before: readonly Live[]): Live[] | null {
    let states = [this.#stateOf(before)];
    for (const { call, isReturn } of this.#events()) {
      if (!isReturn) {
        if (isFull(this.#calls[call])) states = states.map((state) => this.#begin(state, call));
        continue;
      }
      states = this.#reachable(states, call).filter((state) =>
        isFull(this.#calls[call])
          ? state.against.get(call)?.length === 0
          : state.passed[call] === this.#moments(call),
      );
      states = states.map((state) => this.#end(state, call));
      if (states.length === 0) return null;
    }
    return Array.from(states[0].starts, (size, offset) => ({ offset, size })).filter(({ size }) => size > 0);
  }

  /**
   * How many calls of alloc returned -1, and how many of them overlap with no other call. For the figures of a test.
   */
  get full(): { calls: number; uncontended: number } {
    const full = this.#calls.flatMap((call, i) => (isFull(call) ? [this.#contended[i]] : []));
    return { calls: full.length, uncontended: full.filter((contended) => !contended).length };
  }

  #stateOf(live: readonly Live[]): State {
    const { capacity } = this.#arena;
    const state = {
      starts: new Uint16Array(capacity),
      owned: new Uint8Array(capacity),
      taken: new Uint8Array(capacity),
      passed: new Uint8Array(this.#calls.length),
      against: new Map(),
    };
    for (const { offset, size } of live) {
      state.starts[offset] = size;
      state.owned[offset] = 1;
      state.taken.fill(1, offset, offset + size);
    }
    return state;
  }

  #events(): { call: number; isReturn: boolean; time: number }[] {
    return this.#calls
      .flatMap(({ called, returned }, call) => [
        { call, isReturn: false, time: called },
        { call, isReturn: true, time: returned },
      ])
      .sort((a, b) => a.time - b.time);
  }

  /** The `states`, and all states that follow from them by moments of calls that have begun at the return of `call`. */
  #reachable(states: readonly State[], call: number): State[] {
    const { returned } = this.#calls[call];
    const found = new Map(states.map((state) => [keyOf(state), state]));
    // A map is iterated in the order of insertion, entries that are added meanwhile included.
    for (const state of found.values()) {
      this.#calls.forEach(({ called }, i) => {
        if (called > returned || state.passed[i] === this.#moments(i)) return;
        const next = this.#pass(state, i);
        if (next === null) return;
        const key = keyOf(next);
        if (!found.has(key)) found.set(key, next);
      });
    }
    return [...found.values()];
  }

  /** The number of moments of the call. */
  #moments(call: number): number {
    if (isFull(this.#calls[call])) return 0;
    return this.#arena.trackOwners && typeof this.#calls[call].result === 'number' ? 2 : 1;
  }

  /** The state after the next moment of a call; null if that moment cannot be now. */
  #pass(state: State, i: number): State | null {
    const call = this.#calls[i];
    const isFirst = state.passed[i] === 0;
    const isLast = state.passed[i] + 1 === this.#moments(i);
    if (typeof call.result !== 'number') return this.#isRefused(state, call) ? this.#copy(state, i) : null;
    const offset = call.kind === 'alloc' ? call.result : call.argument;
    const size = call.kind === 'alloc' ? roundedUp(call.argument) : call.result;
    if (call.kind === 'alloc') {
      if (isFirst && !this.#isFree(state, offset, size)) return null;
      const next = this.#copy(state, i);
      if (isFirst) this.#fill(next, offset, size, 1);
      if (isLast) next.owned[offset] = 1;
      return isFirst ? this.#withoutTaken(next) : next;
    }
    if (isFirst && (state.starts[offset] !== size || state.owned[offset] === 0)) return null;
    const next = this.#copy(state, i);
    if (isFirst) next.owned[offset] = 0;
    if (isLast) this.#fill(next, offset, size, 0);
    return isLast ? this.#withoutTaken(next) : next;
  }

  #isRefused({ starts, owned, taken }: State, { argument: unit, result }: Call): boolean {
    const isStart = starts[unit] > 0;
    if (result === 'INTERIOR') return taken[unit] === 1 && !isStart;
    return taken[unit] === 0 || (isStart && owned[unit] === 0);
  }

  #isFree({ taken }: State, offset: number, size: number): boolean {
    if (offset % size !== 0 || offset + size > this.#arena.capacity) return false;
    return !taken.subarray(offset, offset + size).includes(1);
  }

  #fill({ starts, taken }: State, offset: number, size: number, value: 0 | 1): void {
    starts[offset] = value * size;
    taken.fill(value, offset, offset + size);
  }

  #copy({ starts, owned, taken, passed, against }: State, i: number): State {
    const next = passed.slice();
    next[i]++;
    return { starts: starts.slice(), owned: owned.slice(), taken: taken.slice(), passed: next, against };
  }

  /** Whether the word with `unit` is certain to be open. */
  #isPinned({ starts }: State, unit: number): boolean {
    const first = unit - (unit % WORD);
    const word = starts.subarray(first, first + WORD);
    return first + WORD > this.#arena.capacity || word.some((size) => size > 0 && size < WORD);
  }

  /** Whether the block of `size` units at `offset` makes the -1 of the failing call wrong so far. */
  #countsAgainst(state: State, i: number, offset: number, size: number): boolean {
    if (!this.#isFree(state, offset, size)) return false;
    return !this.#contended[i] || (size < WORD && this.#isPinned(state, offset));
  }

  #begin(state: State, i: number): State {
    const size = roundedUp(this.#calls[i].argument);
    const offsets: number[] = [];
    for (let offset = 0; offset < this.#arena.capacity; offset += size) {
      if (this.#countsAgainst(state, i, offset, size)) offsets.push(offset);
    }
    return { ...state, against: new Map(state.against).set(i, offsets) };
  }

  #end(state: State, i: number): State {
    if (!state.against.has(i)) return state;
    const against = new Map(state.against);
    against.delete(i);
    return { ...state, against };
  }

  /** The state without the blocks that no longer count against a failing call. */
  #withoutTaken(state: State): State {
    const against = new Map<number, number[]>();
    for (const [i, offsets] of state.against) {
      const size = roundedUp(this.#calls[i].argument);
      against.set(
        i,
        offsets.filter((offset) => this.#countsAgainst(state, i, offset, size)),
      );
    }
    return { ...state, against };
  }
}
