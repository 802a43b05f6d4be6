// What happens on misuse: the class and the code of the error, a message that names the culprit, an untouched state.

import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { BuddyAllocator, BuddyError } from '../../src/index.ts';
import { Model } from '../spec/spec.ts';
import {
  agreeOnStep,
  agreeOnView,
  arenaOf,
  hasState,
  outcomeOf,
  stateBytes,
  step,
} from '../support/agreement.ts';
import { Random } from '../support/random.ts';

const CAPACITY = 100;
const MAX_CAPACITY = 2 ** 30;

/** An arena with blocks of several orders: live are {0,4} {4,1} {8,8} {16,1} {32,32}, all else is free. */
function exampleAllocator(): BuddyAllocator {
  const allocator = new BuddyAllocator({ capacity: CAPACITY });
  for (const size of [4, 1, 8]) allocator.alloc(size);
  allocator.reserve(16, 1);
  allocator.alloc(32);
  return allocator;
}

/** How a value reads in a message: strings, objects and symbols by what identifies them. */
function describeValue(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object' && value !== null)
    return 'valueOf' in value && Object.keys(value).length > 0 ? '{ valueOf }' : '{}';
  return String(value);
}

const NOT_NUMBERS: readonly unknown[] = [
  '1',
  '',
  1n,
  null,
  undefined,
  true,
  {},
  [],
  { valueOf: () => 1 },
  Symbol('s'),
];
const NOT_INTEGERS = [Number.NaN, 0.5, 1.5, -0.5, CAPACITY - 0.5, Infinity, -Infinity, Number.MIN_VALUE];
const INTEGERS = [-1, -(2 ** 31), -(2 ** 32), -0, 0, 1, 4, CAPACITY - 1, CAPACITY, CAPACITY + 1].concat([
  2 ** 30,
  2 ** 30 + 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 4,
  2 ** 53,
  1e300,
]);

interface Parameter {
  /** The call as it is written, `x` being the argument under test. */
  readonly call: string;
  readonly run: (allocator: BuddyAllocator, x: number) => unknown;
  /** The integers that the parameter takes; all others are a RangeError. */
  readonly takes: (x: number) => boolean;
  /** Whether it may be left out. */
  readonly isOptional?: true;
}

const isOffset = (x: number): boolean => x >= 0 && x < CAPACITY;
const isCapacity = (x: number): boolean => x >= 1 && x <= MAX_CAPACITY;

const PARAMETERS: readonly Parameter[] = [
  { call: 'alloc(x)', run: (a, x) => a.alloc(x), takes: (x) => x > 0 },
  { call: 'free(x)', run: (a, x) => a.free(x), takes: isOffset },
  { call: 'sizeOf(x)', run: (a, x) => a.sizeOf(x), takes: isOffset },
  { call: 'isAllocated(x)', run: (a, x) => a.isAllocated(x), takes: isOffset },
  { call: 'blockOf(x)', run: (a, x) => a.blockOf(x), takes: isOffset },
  { call: 'reserve(x, 1)', run: (a, x) => a.reserve(x, 1), takes: isOffset },
  { call: 'reserve(1, x)', run: (a, x) => a.reserve(1, x), takes: (x) => x > 0 && 1 + x <= CAPACITY },
  { call: 'release(x, 1)', run: (a, x) => a.release(x, 1), takes: isOffset },
  { call: 'release(0, x)', run: (a, x) => a.release(0, x), takes: (x) => x > 0 && x <= CAPACITY },
  { call: 'allocRange(x)', run: (a, x) => a.allocRange(x), takes: (x) => x > 0 },
  { call: 'allocRange(2, x)', run: (a, x) => a.allocRange(2, x), takes: (x) => x > 0, isOptional: true },
  // Not even where there is no room for any alignment.
  { call: 'allocRange(101, x)', run: (a, x) => a.allocRange(101, x), takes: (x) => x > 0, isOptional: true },
  { call: 'resizeRange(x, 1, 1)', run: (a, x) => a.resizeRange(x, 1, 1), takes: isOffset },
  {
    call: 'resizeRange(0, x, 1)',
    run: (a, x) => a.resizeRange(0, x, 1),
    takes: (x) => x > 0 && x <= CAPACITY,
  },
  { call: 'resizeRange(0, 5, x)', run: (a, x) => a.resizeRange(0, 5, x), takes: (x) => x > 0 },
  { call: 'shrink(x)', run: (a, x) => a.shrink(x), takes: (x) => x >= 1 && x <= CAPACITY },
  // Growing to 2^30 units works, but takes a third of a gigabyte; the largest arena is created elsewhere.
  {
    call: 'grow(x)',
    run: (a, x) => (x === MAX_CAPACITY ? undefined : a.grow(x)),
    takes: (x) => x >= CAPACITY && x <= MAX_CAPACITY,
  },
  {
    call: 'new BuddyAllocator({ capacity: x })',
    run: (_, x) => (x === MAX_CAPACITY ? undefined : new BuddyAllocator({ capacity: x })),
    takes: isCapacity,
  },
  {
    call: 'new BuddyAllocator({ capacity: 100, maximum: x })',
    run: (_, x) => (x === MAX_CAPACITY ? undefined : new BuddyAllocator({ capacity: 100, maximum: x })),
    takes: (x) => x >= 100 && x <= MAX_CAPACITY,
    isOptional: true,
  },
  { call: 'BuddyAllocator.bytesFor(x)', run: (_, x) => BuddyAllocator.bytesFor(x), takes: isCapacity },
];

describe.each(PARAMETERS)('$call', ({ run, takes, isOptional }) => {
  /** Runs the call with a value it must refuse. */
  function refusal(value: unknown): { error: string; message: string } {
    const allocator = exampleAllocator();
    const before = stateBytes(allocator);
    const buffer = allocator.state;
    const outcome = outcomeOf(() => run(allocator, value as number));
    if (!('error' in outcome)) throw new Error(`accepted ${describeValue(value)} and gave ${outcome.value}`);
    expect(allocator.state).toBe(buffer);
    expect(hasState(allocator, before)).toBe(true);
    return outcome;
  }

  const notNumbers = isOptional ? NOT_NUMBERS.filter((value) => value !== undefined) : NOT_NUMBERS;
  test.each(notNumbers.map((value) => [describeValue(value), value]))('%s is no number', (_, value) => {
    const { error, message } = refusal(value);
    expect(error).toBe('TypeError');
    // The type says more than the value where the value reads like a number.
    const named = [typeof value, value === null ? 'null' : '', Array.isArray(value) ? 'array' : ''].filter(
      Boolean,
    );
    expect(named.some((name) => message.toLowerCase().includes(name))).toBe(true);
  });

  test.each(NOT_INTEGERS)('%d is no integer', (value) => {
    const { error, message } = refusal(value);
    expect(error).toBe('RangeError');
    expect(message).toContain(String(value));
  });

  test.each(
    INTEGERS.filter((value) => !takes(value)).map((value) => [describeValue(value), value]),
  )('%s is out of range', (_, value) => {
    const { error, message } = refusal(value);
    expect(error).toBe('RangeError');
    expect(message).toContain(String(value));
  });

  test.each(
    INTEGERS.filter(takes).map((value) => [describeValue(value), value]),
  )('%s is taken', (_, value) => {
    const outcome = outcomeOf(() => run(exampleAllocator(), value as number));
    if ('error' in outcome) expect(['NOT_ALLOCATED', 'INTERIOR']).toContain(outcome.error);
  });
});

test.each([undefined, null, 5, '5', true])('new BuddyAllocator(%j) is a TypeError', (options) => {
  expect(() => new BuddyAllocator(options as unknown as { capacity: number })).toThrow(TypeError);
});

test('-0 is the offset 0', () => {
  expect(exampleAllocator().blockOf(-0)).toBe(0);
  expect(exampleAllocator().sizeOf(-0)).toBe(4);
  expect(exampleAllocator().isAllocated(-0)).toBe(true);
  expect(exampleAllocator().free(-0)).toBe(4);
  const allocator = new BuddyAllocator({ capacity: 4 });
  expect(allocator.reserve(-0, 3)).toBe(true);
  expect([...allocator.blocks()].map((block) => block.offset)).toEqual([0, 2, 3]);
  allocator.release(-0, 3);
  expect(allocator.freeUnits).toBe(4);
});

test('a range that runs over the end of the arena is a RangeError, also where the sum overflows', () => {
  for (const [offset, size] of [
    [99, 2],
    [1, 100],
    [50, 2 ** 31 - 50],
    [50, 2 ** 32 - 50],
    [50, 2 ** 32],
    [99, 2 ** 53],
  ]) {
    for (const method of ['reserve', 'release', 'resizeRange'] as const) {
      const allocator = exampleAllocator();
      const before = stateBytes(allocator);
      expect(() => allocator[method](offset, size, 1)).toThrow(RangeError);
      expect(hasState(allocator, before)).toBe(true);
    }
  }
});

describe('offsets that begin no live block', () => {
  const codeOf = (action: () => unknown): string => {
    const outcome = outcomeOf(action);
    return 'error' in outcome ? outcome.error : `gave ${outcome.value}`;
  };

  test('every unit of the example', () => {
    const allocator = exampleAllocator();
    const before = stateBytes(allocator);
    const starts = new Map([
      [0, 4],
      [4, 1],
      [8, 8],
      [16, 1],
      [32, 32],
    ]);
    for (let unit = 0; unit < CAPACITY; unit++) {
      if (starts.has(unit)) continue;
      const inside = [...starts].some(([offset, size]) => offset < unit && unit < offset + size);
      const code = inside ? 'INTERIOR' : 'NOT_ALLOCATED';
      expect(codeOf(() => allocator.free(unit))).toBe(code);
      expect(codeOf(() => allocator.sizeOf(unit))).toBe(code);
    }
    expect(hasState(allocator, before)).toBe(true);
  });

  test('a double free, before and after the unit is part of a larger free block', () => {
    const allocator = exampleAllocator();
    allocator.free(4);
    expect(codeOf(() => allocator.free(4))).toBe('NOT_ALLOCATED');
    for (const offset of [0, 8, 16, 32]) allocator.free(offset);
    for (const offset of [0, 4, 8, 16, 32])
      expect(codeOf(() => allocator.free(offset))).toBe('NOT_ALLOCATED');
  });

  test('a freed offset that now lies in a larger block', () => {
    const allocator = new BuddyAllocator({ capacity: 256 });
    for (let i = 0; i < 256; i++) allocator.alloc(1);
    for (let i = 0; i < 256; i++) allocator.free(i);
    expect(allocator.alloc(256)).toBe(0);
    for (let i = 1; i < 256; i++) expect(codeOf(() => allocator.free(i))).toBe('INTERIOR');
  });

  test('the message names the offset', () => {
    const allocator = exampleAllocator();
    expect(() => allocator.free(77)).toThrow(/\b77\b/);
    expect(() => allocator.sizeOf(77)).toThrow(/\b77\b/);
    expect(() => allocator.free(33)).toThrow(/\b33\b/);
    expect(() => allocator.sizeOf(33)).toThrow(/\b33\b/);
  });
});

describe('messages name the argument and its value', () => {
  const allocator = exampleAllocator();
  test.each<[string, () => unknown, RegExp]>([
    ['alloc', () => allocator.alloc('1' as never), /^size must be of type number, not string$/],
    ['alloc', () => allocator.alloc(1.5), /^size must be a positive integer, not 1\.5$/],
    ['free', () => allocator.free('1' as never), /^offset must be of type number, not string$/],
    ['free', () => allocator.free(-3), /^offset must be an integer from 0 to \d+, not -3$/],
    ['sizeOf', () => allocator.sizeOf(-3), /^offset must be an integer/],
    ['isAllocated', () => allocator.isAllocated(-3), /^offset must be an integer/],
    ['blockOf', () => allocator.blockOf(2 ** 31), /^unit must be an integer from 0 to \d+, not 2147483648$/],
    ['reserve', () => allocator.reserve(0, 0), /^size must be a positive integer, not 0$/],
    ['constructor', () => new BuddyAllocator({ capacity: 0 }), /^capacity must be an integer .*, not 0$/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('detached', () => {
  const CALLS: Record<string, (allocator: BuddyAllocator) => unknown> = {
    alloc: (a) => a.alloc(1),
    'alloc of more than there is': (a) => a.alloc(2 ** 40),
    free: (a) => a.free(0),
    'free elsewhere': (a) => a.free(99),
    sizeOf: (a) => a.sizeOf(0),
    isAllocated: (a) => a.isAllocated(0),
    blockOf: (a) => a.blockOf(0),
    reserve: (a) => a.reserve(70, 5),
    release: (a) => a.release(0, 4),
    allocRange: (a) => a.allocRange(5),
    'allocRange, aligned': (a) => a.allocRange(5, 3),
    'allocRange of more than there is': (a) => a.allocRange(2 ** 40),
    resizeRange: (a) => a.resizeRange(0, 5, 3),
    stats: (a) => a.stats(),
    blocks: (a) => [...a.blocks()],
    clear: (a) => a.clear(),
    grow: (a) => a.grow(200),
    'grow to the same': (a) => a.grow(100),
    shrink: (a) => a.shrink(80),
    'shrink to the same': (a) => a.shrink(100),
    check: (a) => a.check(),
    freeUnits: (a) => a.freeUnits,
    largestFree: (a) => a.largestFree,
    largestRange: (a) => a.largestRange,
  };
  const FILLS: Record<string, () => BuddyAllocator> = {
    'partly used': exampleAllocator,
    empty: () => new BuddyAllocator({ capacity: CAPACITY }),
    full: () => {
      const allocator = new BuddyAllocator({ capacity: CAPACITY });
      allocator.reserve(0, CAPACITY);
      return allocator;
    },
    'attached to a copy': () => BuddyAllocator.attach(exampleAllocator().state.slice(0)),
  };

  describe.each(Object.keys(FILLS))('%s', (fill) => {
    test.each(Object.keys(CALLS))('%s', (call) => {
      const allocator = FILLS[fill]();
      structuredClone(allocator.state, { transfer: [allocator.state] });
      expect(() => CALLS[call](allocator)).toThrow(
        expect.objectContaining({ name: 'BuddyError', code: 'DETACHED' }),
      );
    });
  });

  test('blocks() that has begun', () => {
    const allocator = exampleAllocator();
    const blocks = allocator.blocks();
    blocks.next();
    structuredClone(allocator.state, { transfer: [allocator.state] });
    expect(() => blocks.next()).toThrow(expect.objectContaining({ code: 'DETACHED' }));
  });

  test('attach', () => {
    const { state } = exampleAllocator();
    structuredClone(state, { transfer: [state] });
    expect(() => BuddyAllocator.attach(state)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
  });
});

describe('attach', () => {
  const codeOfAttach = (state: ArrayBuffer): string => {
    const outcome = outcomeOf(() => BuddyAllocator.attach(state));
    return 'error' in outcome ? outcome.error : 'attached';
  };

  const { state } = exampleAllocator();
  test.each([
    ['a SharedArrayBuffer', new SharedArrayBuffer(state.byteLength)],
    ['a view of a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(state.byteLength))],
    [
      'a view of a part of one',
      new Uint8Array(new SharedArrayBuffer(state.byteLength + 8), 4, state.byteLength),
    ],
    ['null', null],
    ['undefined', undefined],
    ['a number', 64],
    ['a string', 'state'],
    ['an object', {}],
    ['an object that calls itself one', { [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 100 }],
    ['another allocator', exampleAllocator()],
  ])('%s is not a state', (_, value) => {
    expect(() => BuddyAllocator.attach(value as ArrayBuffer)).toThrow(TypeError);
  });

  test('a view that shows its whole buffer is used, not copied', () => {
    for (const view of [new Uint8Array(state.slice()), new DataView(state.slice())]) {
      expect(BuddyAllocator.attach(view).state).toBe(view.buffer);
    }
  });

  test.each([0, 1, 2, 3, 4, 7])('a view of a part, %i bytes into its buffer, is copied', (byteOffset) => {
    const bytes = new Uint8Array(state.byteLength + byteOffset + 5);
    bytes.set(new Uint8Array(state), byteOffset);
    const before = bytes.slice();
    const attached = BuddyAllocator.attach(Buffer.from(bytes.buffer, byteOffset, state.byteLength));
    expect(new Uint8Array(attached.state)).toEqual(new Uint8Array(state));
    attached.clear();
    expect(bytes).toEqual(before);
  });

  test('a view of a detached buffer is detached', () => {
    const view = new Uint8Array(state.slice());
    structuredClone(view.buffer, { transfer: [view.buffer] });
    expect(() => BuddyAllocator.attach(view)).toThrow(expect.objectContaining({ code: 'DETACHED' }));
  });

  test('random bytes are foreign', () => {
    const random = new Random(1);
    for (let i = 0; i < 300; i++) {
      const bytes = new Uint8Array(random.below(2000)).map(() => random.below(256));
      expect(['FOREIGN', 'TRUNCATED']).toContain(codeOfAttach(bytes.buffer));
    }
    const large = new Uint8Array(state.byteLength).map(() => random.below(256));
    expect(codeOfAttach(large.buffer)).toBe('FOREIGN');
  });

  test('zeroes and ones are foreign', () => {
    expect(codeOfAttach(new ArrayBuffer(state.byteLength))).toBe('FOREIGN');
    expect(codeOfAttach(new Uint8Array(state.byteLength).fill(255).buffer)).toBe('FOREIGN');
  });

  test.each([1, 16, 100, 5000])('every other length of the state of %i units is truncated', (capacity) => {
    const allocator = new BuddyAllocator({ capacity });
    allocator.alloc(3);
    const bytes = stateBytes(allocator);
    for (let length = 0; length < bytes.length; length++) {
      const code = codeOfAttach(bytes.slice(0, length).buffer);
      // With less than a word there is no knowing whose it is.
      if (length < 4) expect(['FOREIGN', 'TRUNCATED']).toContain(code);
      else expect(code).toBe('TRUNCATED');
    }
    for (const more of [1, 2, 3, 4, 8, 64, bytes.length]) {
      const longer = new Uint8Array(bytes.length + more);
      longer.set(bytes);
      expect(codeOfAttach(longer.buffer)).toBe('TRUNCATED');
    }
  });

  test('the beginning tells a foreign buffer and another version of the format', () => {
    const bytes = stateBytes(exampleAllocator());
    const codes = new Set<string>();
    for (let at = 0; at < 32; at++) {
      const changed = bytes.slice();
      changed[at] += 1;
      codes.add(codeOfAttach(changed.buffer));
    }
    expect(codes).toContain('FOREIGN');
    expect(codes).toContain('VERSION');
  });
});

describe('damaged states', () => {
  /** A state that random operations left behind, with blocks of many sizes and stale hints, if there are such. */
  function usedState(capacity: number, seed: number, maximum?: number): Uint8Array<ArrayBuffer> {
    const allocator = arenaOf(capacity, maximum);
    const random = new Random(seed);
    const live: number[] = [];
    for (let i = 0; i < 400; i++) {
      const offset = allocator.alloc(2 ** random.below(Math.log2(capacity)));
      if (offset !== -1) live.push(offset);
      while (live.length > 0 && (offset === -1 || random.below(3) === 0)) {
        allocator.free(live.splice(random.below(live.length), 1)[0]);
        if (random.below(2) === 0) break;
      }
    }
    return stateBytes(allocator);
  }

  /**
   * A damaged state is refused with a BuddyError, or the damage does not matter: then the allocator is exactly what
   * its blocks say, and stays that while it is used.
   */
  function refusedOrSound(bytes: Uint8Array<ArrayBuffer>, seed: number): 'refused' | 'sound' {
    let allocator: BuddyAllocator;
    const before = bytes.slice();
    try {
      allocator = BuddyAllocator.attach(bytes.buffer);
    } catch (error) {
      if (!(error instanceof BuddyError)) throw error;
      assert.ok(['FOREIGN', 'VERSION', 'TRUNCATED', 'CORRUPT'].includes(error.code), error.code);
      assert.ok(error.message.length > 10);
      assert.equal(Buffer.compare(bytes, before), 0, 'a refused buffer is not written to');
      return 'refused';
    }
    const blocks = [...allocator.blocks()];
    const live = blocks.filter((block) => !block.free).map(({ offset, size }) => [offset, size] as const);
    const model = new Model(allocator.capacity, live, allocator.maximum);
    for (const [offset, size] of live) assert.ok(Number.isInteger(Math.log2(size)) && offset % size === 0);
    agreeOnView(allocator, model);
    const random = new Random(seed);
    for (let i = 0; i < 12; i++) {
      const candidates = model.live;
      if (random.below(2) === 0 || candidates.length === 0) {
        agreeOnStep(allocator, model, step('alloc', 2 ** random.below(Math.log2(model.capacity) + 1)));
      } else {
        agreeOnStep(allocator, model, step('free', candidates[random.below(candidates.length)][0]));
      }
    }
    agreeOnView(allocator, model);
    return 'sound';
  }

  test('the state itself is sound', () => {
    for (const capacity of [2, 16, 40, 300, 5000]) {
      expect(refusedOrSound(usedState(capacity, capacity), 1)).toBe('sound');
    }
  });

  test.each([
    [2, undefined],
    [16, undefined],
    [40, undefined],
    [100, undefined],
    [300, undefined],
    [40, 100],
    [64, 1100],
  ])('every single bit of a state of %i units flipped, maximum %s', (capacity, maximum) => {
    const bytes = usedState(capacity, capacity, maximum);
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >>> 3] ^= 1 << (bit & 7);
      if (refusedOrSound(damaged, bit) === 'refused') refused++;
    }
    expect(refused).toBeGreaterThan(32);
  });

  test.each([16, 300])('what attach refuses in a state of %i units, check reports, too', (capacity) => {
    const bytes = usedState(capacity, capacity);
    let reported = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >>> 3] ^= 1 << (bit & 7);
      const outcome = outcomeOf(() => BuddyAllocator.attach(damaged.slice().buffer));
      if (!('error' in outcome) || outcome.error !== 'CORRUPT') continue;
      const allocator = BuddyAllocator.attach(bytes.slice().buffer);
      new Uint8Array(allocator.state).set(damaged);
      const violations = allocator.check();
      assert.ok(violations.length > 0, `bit ${bit}: ${outcome.message}`);
      assert.ok(violations.every((violation) => violation.length > 10));
      reported++;
    }
    expect(reported).toBeGreaterThan(32);
  });

  test.each([16, 100, 300])('every word of a state of %i units replaced', (capacity) => {
    const bytes = usedState(capacity, capacity + 1);
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      for (const value of [
        0, 1, 2, -1, 0xffff, 0x10000, 0xffff0000, 0x7fffffff, 0x80000000, 0xfffeffff, 1000,
      ]) {
        const damaged = bytes.slice();
        new DataView(damaged.buffer).setInt32(at, value | 0, true);
        refusedOrSound(damaged, at);
      }
    }
  });

  test.each([64, 1000, 5000, 70_000])('random bits of a state of %i units flipped', (capacity) => {
    const random = new Random(capacity);
    const bytes = usedState(capacity, 3);
    for (let i = 0; i < 300; i++) {
      const damaged = bytes.slice();
      for (let flips = 1 + random.below(4); flips > 0; flips--) {
        damaged[random.below(bytes.length)] ^= 1 << random.below(8);
      }
      refusedOrSound(damaged, i);
    }
  });

  test('two states cut together', () => {
    const random = new Random(9);
    for (let i = 0; i < 300; i++) {
      const capacity = 16 + random.below(500);
      const mixed = usedState(capacity, i);
      const other = usedState(capacity, i + 1000);
      const at = random.below(mixed.length);
      mixed.set(other.subarray(at), at);
      refusedOrSound(mixed, i);
    }
  });
});

describe('a state that is overwritten in use', () => {
  test('check lists 100 faults and counts the others', () => {
    const allocator = new BuddyAllocator({ capacity: 2 ** 16 });
    for (let i = 0; i < 2 ** 11; i++) allocator.alloc(16);
    const state = new Int32Array(allocator.state);
    state.fill(0x5555, 112, 112 + 2 * 1024); // the words of level 0 behind the header
    const faults = allocator.check();
    expect(faults).toHaveLength(101);
    expect(faults[0]).toMatch(/^level 0 word 0: /);
    expect(faults[100]).toMatch(/^and \d{3,} more$/);
    expect(() => BuddyAllocator.attach(allocator.state)).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    );
  });

  test.each<[string, (allocator: BuddyAllocator) => unknown]>([
    ['alloc', (a) => [a.alloc(1), a.alloc(40), a.alloc(3000)]],
    ['allocRange', (a) => [a.allocRange(1), a.allocRange(77), a.allocRange(3000)]],
    ['free', (a) => [outcomeOf(() => a.free(0)), outcomeOf(() => a.free(64)), outcomeOf(() => a.free(4999))]],
    ['reserve', (a) => [a.reserve(0, 5), a.reserve(3000, 700)]],
    ['release', (a) => [outcomeOf(() => a.release(0, 32)), outcomeOf(() => a.release(64, 100))]],
    ['resizeRange', (a) => outcomeOf(() => a.resizeRange(0, 32, 40))],
  ])('with zeros in its words, so that nothing but the sentinels is left, %s comes to an end', (_, call) => {
    const allocator = new BuddyAllocator({ capacity: 5000 });
    for (let i = 0; i < 50; i++) allocator.alloc(32);
    const state = new Int32Array(allocator.state);
    const header = 112;
    const words = [Math.ceil(5000 / 32), Math.ceil(5000 / 1024), 1];
    let pos = header;
    for (const count of words) {
      state.fill(0, pos, pos + 2 * count);
      pos += 2 * (count + 1);
    }
    call(allocator);
  });
});
