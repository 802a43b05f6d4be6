// Breadth-first search over the states of an allocator. Two states are one when their buffers are equal byte by byte,
// so hints that do not follow from the live blocks count, and a search that ends has seen every reachable state.

import assert from 'node:assert/strict';
import { BuddyAllocator } from '../../src/index.ts';
import { referenceWith } from '../spec/reference.ts';
import { Model } from '../spec/spec.ts';
import {
  agreeOnStep,
  agreeOnUnits,
  agreeOnView,
  arenaOf,
  outcomeOf,
  type Step,
  stateBytes,
  step,
} from './agreement.ts';

export interface Exploration {
  readonly capacity: number;
  /** The maximum that the arena is made with, if any. */
  readonly maximum?: number;
  /** The sizes that alloc is called with in each state. */
  readonly sizes: readonly number[];
  /** Steps that lead to the first state, none by default. */
  readonly start?: readonly Step[];
  /** Operations from the first state to the farthest one explored; Infinity for all reachable states. */
  readonly depth: number;
  /** Whether reserve and release of every range, clear, and every grow and shrink are tried in each state, too. */
  readonly everyOperation?: boolean;
  /** Whether allocRange of every size and alignment, and release and resizeRange of every range, are tried, too. */
  readonly everyRange?: boolean;
  /** Whether a state is reached anew by all steps from the first one, on one allocator, instead of by its bytes. */
  readonly replay?: boolean;
  /** Called after each layer. */
  readonly onLayer?: (depth: number, states: number, steps: number) => void;
}

export interface Explored {
  readonly states: number;
  readonly steps: number;
  /** False when the depth limit left states unexplored. */
  readonly complete: boolean;
}

type Live = readonly (readonly [number, number])[];

/** The steps from a new allocator to a state, the last one first. */
type Path = { readonly last: Step; readonly before: Path } | undefined;

interface State {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly live: Live;
  readonly path: Path;
}

/** Every size from 1 to one more than the arena holds. */
export const everySize = (capacity: number): number[] =>
  Array.from({ length: capacity + 1 }, (_, i) => i + 1);

/** The least size of each order, up to an order that the arena cannot hold: all that distinguishes allocations. */
export function sizePerOrder(capacity: number): number[] {
  const sizes = [1, 2];
  while (sizes[sizes.length - 1] <= capacity) sizes.push((sizes[sizes.length - 1] - 1) * 2 + 1);
  return sizes;
}

/** Steps that fill the arena with blocks of one unit, then free those whose offset `freed` picks. */
export function filledWithUnits(capacity: number, freed: (offset: number) => boolean): Step[] {
  const offsets = Array.from({ length: capacity }, (_, offset) => offset);
  return [
    ...offsets.map(() => step('alloc', 1)),
    ...offsets.filter(freed).map((offset) => step('free', offset)),
  ];
}

/** A live set in a form that can be compared. */
const signature = (live: Live): string => live.flat().join();

function stepsOf(path: Path): Step[] {
  const steps: Step[] = [];
  for (let at = path; at !== undefined; at = at.before) steps.unshift(at.last);
  return steps;
}

/** An allocator of its own in the given state. */
function arrive({ capacity, maximum, replay }: Exploration, state: State): BuddyAllocator {
  if (!replay) return BuddyAllocator.attach(state.bytes.slice().buffer);
  const allocator = arenaOf(capacity, maximum);
  for (const taken of stepsOf(state.path)) outcomeOf(() => taken.run(allocator));
  return allocator;
}

/** The steps after which the search goes on: those that keep the capacity. */
function stepsFrom({ capacity, sizes, everyOperation, everyRange }: Exploration, live: Live): Step[] {
  const steps = sizes.map((size) => step('alloc', size));
  for (const [offset] of live) steps.push(step('free', offset));
  if (everyOperation) {
    steps.push(step('clear'));
    for (let offset = 0; offset < capacity; offset++) {
      for (let size = 1; offset + size <= capacity; size++) {
        steps.push(step('reserve', offset, size), step('release', offset, size));
      }
    }
  }
  if (everyRange) {
    for (let size = 1; size <= capacity + 1; size++) {
      for (let alignment = 1; alignment <= capacity + 1; alignment++) {
        steps.push(step('allocRange', size, alignment));
      }
    }
    for (let offset = 0; offset < capacity; offset++) {
      for (let size = 1; offset + size <= capacity; size++) {
        steps.push(step('release', offset, size));
        for (let newSize = 1; offset + newSize <= capacity + 1; newSize++) {
          if (newSize !== size) steps.push(step('resizeRange', offset, size, newSize));
        }
      }
    }
  }
  return steps;
}

/** The reference is the specification of where a block goes: its answer to each allocation is the model's. */
function agreeWithReference(capacity: number, sizes: readonly number[], live: Live): void {
  const reference = referenceWith(capacity, live);
  for (const size of sizes) {
    const offset = reference.alloc(size);
    assert.equal(
      new Model(capacity, live).alloc(size),
      offset,
      `model and reference differ on alloc(${size})`,
    );
    if (offset !== -1) reference.free(offset);
  }
}

/** The units to ask for: all of a small arena, those at the edges of blocks in a large one, and two outside. */
function unitsOfInterest(capacity: number, live: Live): Set<number> {
  if (capacity <= 64) return new Set(Array.from({ length: capacity + 2 }, (_, i) => i - 1));
  return new Set([
    -1,
    capacity,
    ...live.flatMap(([offset, size]) => [offset - 1, offset, offset + 1, offset + size - 1, offset + size]),
  ]);
}

/** What is asked of each state once: the views, every unit, and the steps that end in another capacity. */
function inspect(exploration: Exploration, state: State): void {
  const { capacity, maximum, sizes, everyOperation } = exploration;
  const model = new Model(capacity, state.live, maximum);
  const allocator = arrive(exploration, state);
  agreeOnView(allocator, model);
  agreeOnUnits(allocator, model, unitsOfInterest(capacity, state.live));
  agreeWithReference(capacity, sizes, state.live);
  if (!everyOperation) return;
  for (let other = 0; other <= 2 * capacity + 1; other++) {
    for (const resize of [step('grow', other), step('shrink', other)]) {
      const resized = arrive(exploration, state);
      const expected = new Model(capacity, state.live, maximum);
      agreeOnStep(resized, expected, resize);
      agreeOnView(resized, expected);
    }
  }
}

/**
 * Explores the states within `depth` operations, comparing every operation in every state with the model and every
 * allocation with the reference. Throws at the first difference, naming the steps from the first state to it.
 */
export function explore(exploration: Exploration): Explored {
  const { capacity, maximum, start = [], depth, onLayer } = exploration;
  const allocator = arenaOf(capacity, maximum);
  const model = new Model(capacity, [], maximum);
  let path: Path;
  for (const last of start) {
    agreeOnStep(allocator, model, last);
    path = { last, before: path };
  }

  const seen = new Map<string, string>();
  let steps = 0;
  let layer: State[] = [];
  let next: State[] = [];
  const visit = (state: State): void => {
    const key = Buffer.from(state.bytes.buffer).toString('latin1');
    const known = seen.get(key);
    const found = signature(state.live);
    if (known === found) return;
    assert.equal(known, undefined, 'one state stands for two sets of live blocks');
    seen.set(key, found);
    inspect(exploration, state);
    next.push(state);
  };

  visit({ bytes: stateBytes(allocator), live: model.live, path });
  for (let reached = 0; next.length > 0 && reached < depth; reached++) {
    [layer, next] = [next, []];
    for (const state of layer) {
      for (const last of stepsFrom(exploration, state.live)) {
        const taken = { last, before: state.path };
        try {
          const here = arrive(exploration, state);
          const expected = new Model(capacity, state.live, maximum);
          agreeOnStep(here, expected, last);
          visit({ bytes: stateBytes(here), live: expected.live, path: taken });
        } catch (error) {
          const labels = stepsOf(taken).map(({ label }) => label);
          throw new Error(`capacity ${capacity}: ${labels.join(' ')}: ${error}`, { cause: error });
        }
        steps++;
      }
    }
    onLayer?.(reached + 1, seen.size, steps);
  }
  return { states: seen.size, steps, complete: next.length === 0 };
}
