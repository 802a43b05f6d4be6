// Runs one operation on the allocator and on the model and insists that they agree; compares all they can be asked.

import assert from 'node:assert/strict';
import { BuddyAllocator, BuddyError } from '../../src/index.ts';
import { type Model, Refusal } from '../spec/spec.ts';

/** What the allocator and the model have in common. */
export type Operations = Pick<
  BuddyAllocator,
  | 'alloc'
  | 'free'
  | 'sizeOf'
  | 'isAllocated'
  | 'blockOf'
  | 'reserve'
  | 'release'
  | 'allocRange'
  | 'resizeRange'
  | 'clear'
  | 'grow'
  | 'shrink'
>;

/** One call, with the words for it in a failure. */
export interface Step {
  readonly label: string;
  readonly run: (target: Operations) => unknown;
}

/** The step that calls `method` with `args`. */
export function step(method: keyof Operations, ...args: number[]): Step {
  return {
    label: `${method}(${args.join(', ')})`,
    run: (target) => (target[method] as (...values: number[]) => unknown)(...args),
  };
}

export type Outcome = { readonly value: unknown } | { readonly error: string; readonly message: string };

/**
 * Calls `action`. A thrown BuddyError is named by its code, a TypeError or RangeError by its class, exactly; anything
 * else that is thrown is passed on, since the contract knows no other error.
 */
export function outcomeOf(action: () => unknown): Outcome {
  try {
    return { value: action() };
  } catch (error) {
    if (error instanceof BuddyError) return { error: error.code, message: error.message };
    if (error instanceof Error && (error.constructor === TypeError || error.constructor === RangeError)) {
      return { error: error.constructor.name, message: error.message };
    }
    throw error;
  }
}

/** An empty arena of `capacity` units that can grow to `maximum`, if that is given. */
export function arenaOf(capacity: number, maximum?: number): BuddyAllocator {
  return new BuddyAllocator(maximum === undefined ? { capacity } : { capacity, maximum });
}

/** A copy of the allocator's state. */
export function stateBytes(allocator: BuddyAllocator): Uint8Array<ArrayBuffer> {
  return new Uint8Array(allocator.state).slice();
}

/** Whether the allocator's state is, byte by byte, what it was when `bytes` was copied from it. */
export function hasState(allocator: BuddyAllocator, bytes: Uint8Array): boolean {
  return Buffer.compare(new Uint8Array(allocator.state), bytes) === 0;
}

/** The contract of one step: the model's value or error; on an error, not a byte of the state is touched. */
export function agreeOnStep(allocator: BuddyAllocator, model: Model, { label, run }: Step): void {
  const before = stateBytes(allocator);
  const buffer = allocator.state;
  const outcome = outcomeOf(() => run(allocator));
  let expected: unknown;
  try {
    expected = run(model);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    const wanted = refusal.names.join(' or ');
    if (!('error' in outcome)) assert.fail(`${label} gave ${outcome.value} instead of ${wanted}`);
    if (!refusal.names.includes(outcome.error)) {
      assert.fail(`${label} threw ${outcome.error} instead of ${wanted}: ${outcome.message}`);
    }
    if (allocator.state !== buffer || !hasState(allocator, before)) {
      assert.fail(`${label} threw ${outcome.error} and changed the state`);
    }
    return;
  }
  if ('error' in outcome) {
    assert.fail(`${label} threw ${outcome.error} instead of giving ${expected}: ${outcome.message}`);
  }
  if (!Object.is(outcome.value, expected))
    assert.fail(`${label} gave ${outcome.value} instead of ${expected}`);
}

/** Everything the allocator says of itself is what the model says, and the allocator finds no fault in itself. */
export function agreeOnView(allocator: BuddyAllocator, model: Model): void {
  assert.deepEqual(allocator.check(), []);
  assert.equal(allocator.capacity, model.capacity);
  assert.equal(allocator.maximum, model.maximum);
  assert.equal(allocator.freeUnits, model.freeUnits);
  assert.equal(allocator.largestFree, model.largestFree);
  assert.equal(allocator.largestRange, model.largestRange);
  assert.deepEqual([...allocator.blocks()], model.blocks());
  assert.deepEqual(allocator.stats(), model.stats());
}

/** Every offset inside the arena and the two just outside is asked for its block; free is tried where it must throw. */
export function agreeOnUnits(allocator: BuddyAllocator, model: Model, units: Iterable<number>): void {
  for (const unit of units) {
    agreeOnStep(allocator, model, step('blockOf', unit));
    agreeOnStep(allocator, model, step('isAllocated', unit));
    agreeOnStep(allocator, model, step('sizeOf', unit));
    const live = unit >= 0 && unit < model.capacity && model.isAllocated(unit);
    if (!live) agreeOnStep(allocator, model, step('free', unit));
  }
}
