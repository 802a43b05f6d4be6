// The shared allocator in one thread: several attachments to one buffer that take turns.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuddyError, SharedBuddyAllocator } from '../../src/shared.ts';

const create = SharedBuddyAllocator.create;

function attach(buffer: SharedArrayBuffer): SharedBuddyAllocator {
  const attached = SharedBuddyAllocator.attach(buffer);
  if (attached === null) throw new Error('no slot');
  return attached;
}

/** The code of the BuddyError that `f` throws, or the name of another error; 'nothing' if it throws none. */
function thrown(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    return error instanceof BuddyError ? error.code : (error as Error).name;
  }
  return 'nothing';
}

describe('one attachment', () => {
  it('allocates at multiples of the rounded size, and frees', () => {
    const arena = create({ capacity: 1000 });
    const a = arena.alloc(5);
    const b = arena.alloc(16);
    expect(a % 8).toBe(0);
    expect(b % 16).toBe(0);
    expect(arena.sizeOf(a)).toBe(8);
    expect(arena.isAllocated(a)).toBe(true);
    expect(arena.isAllocated(a + 1)).toBe(false);
    expect(arena.blockOf(a + 7)).toBe(a);
    expect(arena.stats()).toMatchObject({ usedUnits: 24, freeUnits: 976, liveBlocks: 2, workers: 1 });
    expect(arena.free(a)).toBe(8);
    expect(arena.free(b)).toBe(16);
    expect(arena.blockOf(a)).toBe(-1);
    expect(arena.stats()).toMatchObject({ usedUnits: 0, largestFree: 512 });
    expect(arena.check()).toEqual([]);
  });

  it.each([
    1, 2, 7, 15, 16, 17, 100, 255, 256, 257, 4096, 5000, 65_537,
  ])('uses all of %d units, and gets all of them back', (capacity) => {
    for (const trackOwners of [false, true]) {
      const arena = create({ capacity, trackOwners });
      const units = new Set<number>();
      for (let offset = arena.alloc(1); offset >= 0; offset = arena.alloc(1)) units.add(offset);
      expect(units.size).toBe(capacity);
      expect(Math.max(...[...units].slice(-9))).toBeLessThan(capacity);
      expect(arena.stats()).toMatchObject({ freeUnits: 0, largestFree: 0, externalFragmentation: 0 });
      expect(arena.check()).toEqual([]);
      for (const offset of units) arena.free(offset);
      expect(arena.check()).toEqual([]);
      const largest = 2 ** Math.floor(Math.log2(capacity));
      expect(arena.stats().largestFree).toBe(largest);
      const whole = arena.alloc(largest);
      expect(whole % largest).toBe(0);
      expect(arena.alloc(largest)).toBe(-1);
      arena.free(whole);
    }
  });

  it('returns -1 if there is no room, however large the request', () => {
    const arena = create({ capacity: 100 });
    expect(arena.alloc(65)).toBe(-1);
    expect(arena.alloc(101)).toBe(-1);
    expect(arena.alloc(2 ** 31 - 1)).toBe(-1);
    expect(arena.alloc(2 ** 31)).toBe(-1);
    expect(arena.alloc(2 ** 32 + 1)).toBe(-1);
    expect(arena.alloc(Number.MAX_SAFE_INTEGER)).toBe(-1);
  });

  it('holds blocks of every size up to that of the largest arena', () => {
    const arena = create({ capacity: 2 ** 30, maxWorkers: 1 });
    for (let size = 1; size <= 2 ** 30; size *= 2) {
      const offset = arena.alloc(size);
      expect(offset % size).toBe(0);
      expect(arena.sizeOf(offset)).toBe(size);
      expect(arena.free(offset)).toBe(size);
    }
    expect(arena.alloc(2 ** 30)).toBe(0);
  }, 30_000);

  it('lets workers come and go in an arena of as many levels as there can be', () => {
    const arena = create({ capacity: 2 ** 28, maxWorkers: 3 });
    const others = [attach(arena.buffer), attach(arena.buffer)];
    for (const other of others) {
      for (const size of [1, 2 ** 24, 2 ** 27]) other.free(other.alloc(size));
    }
    expect(others[0].alloc(2 ** 28)).toBe(0);
    others[0].free(0);
    others[0].detach();
    expect(arena.recover(others[1].workerId).complete).toBe(true);
    expect(arena.workerIds()).toEqual([arena.workerId]);
    expect(arena.alloc(2 ** 28)).toBe(0);
  }, 30_000);
});

describe('misuse', () => {
  it('is an error, and changes nothing', () => {
    for (const trackOwners of [false, true]) {
      const arena = create({ capacity: 300, trackOwners });
      const a = arena.alloc(8);
      const big = arena.alloc(64);
      const before = arena.buffer.slice(0);
      const calls: [string, () => unknown][] = [
        ['INTERIOR', () => arena.free(a + 1)],
        ['INTERIOR', () => arena.free(big + 1)],
        ['INTERIOR', () => arena.free(big + 16)],
        ['INTERIOR', () => arena.sizeOf(big + 63)],
        ['NOT_ALLOCATED', () => arena.free(a ^ 8)],
        ['NOT_ALLOCATED', () => arena.free(299)],
        ['NOT_ALLOCATED', () => arena.sizeOf(299)],
        ['RangeError', () => arena.free(300)],
        ['RangeError', () => arena.free(-1)],
        ['RangeError', () => arena.free(0.5)],
        ['RangeError', () => arena.free(Number.NaN)],
        ['RangeError', () => arena.free(2 ** 31)],
        ['RangeError', () => arena.free(2 ** 32)],
        ['RangeError', () => arena.free(Number.POSITIVE_INFINITY)],
        ['TypeError', () => arena.free('0' as unknown as number)],
        ['TypeError', () => arena.free(0n as unknown as number)],
        ['TypeError', () => arena.free(undefined as unknown as number)],
        ['RangeError', () => arena.sizeOf(300)],
        ['RangeError', () => arena.isAllocated(-1)],
        ['RangeError', () => arena.blockOf(300)],
        ['RangeError', () => arena.alloc(0)],
        ['RangeError', () => arena.alloc(-1)],
        ['RangeError', () => arena.alloc(1.5)],
        ['RangeError', () => arena.alloc(Number.NaN)],
        ['RangeError', () => arena.alloc(Number.POSITIVE_INFINITY)],
        ['TypeError', () => arena.alloc('1' as unknown as number)],
        ['TypeError', () => arena.alloc(1n as unknown as number)],
        ['TypeError', () => arena.alloc(null as unknown as number)],
        ['RangeError', () => arena.recover(0)],
        ['RangeError', () => arena.recover(33)],
        ['RangeError', () => arena.recover(256)],
        ['RangeError', () => arena.recover(2 ** 30 + 1)],
        ['RangeError', () => arena.recover(2 ** 32 + 1)],
        ['RangeError', () => arena.recover(1.5)],
        ['RangeError', () => arena.recover(arena.workerId)],
        ['TypeError', () => arena.recover(null as unknown as number)],
        ['TypeError', () => arena.recover('2' as unknown as number)],
        ['TypeError', () => arena.recover({} as unknown as number)],
        ['TypeError', () => arena.recover([] as unknown as number)],
        ['TypeError', () => arena.rebuild(257 as unknown as [])],
        ['TypeError', () => arena.rebuild({} as unknown as [])],
        ['TypeError', () => arena.rebuild(null as unknown as [])],
        ['TypeError', () => arena.rebuild('' as unknown as [])],
        ['RangeError', () => arena.rebuild([{ offset: 300, size: 1 }])],
        ['RangeError', () => arena.rebuild([{ offset: 0, size: 3 }])],
        ['RangeError', () => arena.rebuild([{ offset: 4, size: 8 }])],
        ['RangeError', () => arena.rebuild([{ offset: 256, size: 64 }])],
        ['TypeError', () => arena.rebuild([{ offset: '0' as unknown as number, size: 1 }])],
        ['TypeError', () => arena.rebuild([{ offset: 0, size: '1' as unknown as number }])],
        [
          'RangeError',
          () =>
            arena.rebuild([
              { offset: 0, size: 16 },
              { offset: 8, size: 8 },
            ]),
        ],
      ];
      for (const [expected, call] of calls) {
        expect([call.toString(), thrown(call)]).toEqual([call.toString(), expected]);
      }
      const sequence = (bytes: SharedArrayBuffer) => [...new Int32Array(bytes)].filter((_, i) => i !== 18);
      expect(sequence(arena.buffer)).toEqual(sequence(before));
      arena.free(a);
      expect(thrown(() => arena.free(a))).toBe('NOT_ALLOCATED');
    }
  });

  it('in the options is an error', () => {
    const cases: [string, unknown][] = [
      ['RangeError', { capacity: 0 }],
      ['RangeError', { capacity: 2 ** 30 + 1 }],
      ['RangeError', { capacity: 1.5 }],
      ['TypeError', { capacity: '1' }],
      ['TypeError', {}],
      ['RangeError', { capacity: 1, maxWorkers: 0 }],
      ['RangeError', { capacity: 1, maxWorkers: 254 }],
      ['RangeError', { capacity: 1, maxWorkers: Number.NaN }],
      ['TypeError', { capacity: 1, maxWorkers: '2' }],
      ['TypeError', { capacity: 1, trackOwners: 1 }],
    ];
    for (const [expected, options] of cases) {
      expect([options, thrown(() => create(options as { capacity: number }))]).toEqual([options, expected]);
      expect(thrown(() => SharedBuddyAllocator.bytesFor(options as { capacity: number }))).toBe(expected);
    }
  });

  it('in a buffer is an error', () => {
    const { buffer } = create({ capacity: 100 });
    const edited = (at: number, value: number) => {
      const copy = buffer.slice(0);
      new Int32Array(copy)[at] = value;
      return copy;
    };
    const attached = SharedBuddyAllocator.attach;
    expect(thrown(() => attached(new ArrayBuffer(8) as unknown as SharedArrayBuffer))).toBe('TypeError');
    expect(thrown(() => attached(null as unknown as SharedArrayBuffer))).toBe('TypeError');
    expect(thrown(() => attached(new SharedArrayBuffer(0)))).toBe('FOREIGN');
    expect(thrown(() => attached(new SharedArrayBuffer(4096)))).toBe('FOREIGN');
    expect(thrown(() => attached(edited(0, 1)))).toBe('FOREIGN');
    expect(thrown(() => attached(edited(1, 99)))).toBe('VERSION');
    expect(thrown(() => attached(edited(2, -1)))).toBe('CORRUPT');
    expect(thrown(() => attached(edited(2, 500)))).toBe('TRUNCATED');
    expect(thrown(() => attached(edited(2, 0)))).toBe('CORRUPT');
    expect(thrown(() => attached(edited(2, 2 ** 30 + 1)))).toBe('CORRUPT');
    expect(thrown(() => attached(edited(3, 0)))).toBe('CORRUPT');
    expect(thrown(() => attached(edited(3, 254)))).toBe('CORRUPT');
    expect(thrown(() => attached(edited(2, 1)))).toBe('TRUNCATED');
    expect(thrown(() => attached(buffer.slice(0, -4)))).toBe('TRUNCATED');
  });
});

describe('several attachments', () => {
  it('see one arena, and free each other’s blocks', () => {
    const a = create({ capacity: 4096 });
    const b = attach(a.buffer);
    expect(a.workerIds()).toEqual([a.workerId, b.workerId]);
    expect(b.capacity).toBe(4096);
    const x = a.alloc(100);
    expect(b.sizeOf(x)).toBe(128);
    b.free(x);
    expect(thrown(() => a.free(x))).toBe('NOT_ALLOCATED');
    expect(a.stats().workers).toBe(2);
    expect(a.check()).toEqual([]);
  });

  it('begin far from one another, in the lower half', () => {
    const a = create({ capacity: 4096 });
    const others = [a, attach(a.buffer), attach(a.buffer), attach(a.buffer)];
    const offsets = others.map((arena) => arena.alloc(1)).sort((x, y) => x - y);
    for (let i = 1; i < offsets.length; i++) expect(offsets[i] - offsets[i - 1]).toBeGreaterThanOrEqual(512);
    expect(offsets[3]).toBeLessThan(2048);
  });

  it('are made from a view that covers the whole buffer, and from no other view', () => {
    const a = create({ capacity: 64 });
    const { buffer } = a;
    for (const view of [new Uint8Array(buffer), new Int32Array(buffer), new DataView(buffer)]) {
      const b = SharedBuddyAllocator.attach(view);
      expect(b?.buffer).toBe(buffer);
      a.free(b?.alloc(1) ?? -1);
    }
    const part = new Uint8Array(buffer, 0, buffer.byteLength - 4);
    expect(() => SharedBuddyAllocator.attach(part)).toThrow(/^the view shows \d+ of the \d+ bytes/);
    expect(thrown(() => SharedBuddyAllocator.attach(part))).toBe('TypeError');
    expect(thrown(() => SharedBuddyAllocator.attach(new Uint8Array(buffer, 4)))).toBe('TypeError');
    expect(thrown(() => SharedBuddyAllocator.attach(new Uint8Array(buffer.byteLength)))).toBe('TypeError');
    expect(a.stats().workers).toBe(4);
  });

  it('tell what is free, whichever worker has the rest', () => {
    const a = create({ capacity: 1000 });
    const b = attach(a.buffer);
    expect([a.freeUnits, a.largestFree]).toEqual([1000, 512]);
    const x = a.alloc(500);
    b.alloc(3);
    for (const arena of [a, b]) {
      expect(arena.freeUnits).toBe(1000 - 512 - 4);
      expect(arena.largestFree).toBe(arena.stats().largestFree);
    }
    expect(a.alloc(a.largestFree)).toBeGreaterThanOrEqual(0);
    b.free(x);
    expect(a.largestFree).toBe(512);
    while (a.alloc(1) >= 0);
    expect([b.freeUnits, b.largestFree]).toEqual([0, 0]);
  });

  it('keep what never changes after they are detached, and nothing else', () => {
    const arena = create({ capacity: 100, maxWorkers: 3, trackOwners: true });
    const { buffer } = arena;
    const offset = arena.alloc(1);
    arena.detach();
    arena.detach();
    expect(arena.buffer).toBe(buffer);
    expect([arena.capacity, arena.maxWorkers, arena.trackOwners]).toEqual([100, 3, true]);
    const calls: Record<string, () => unknown> = {
      alloc: () => arena.alloc(1),
      free: () => arena.free(offset),
      sizeOf: () => arena.sizeOf(offset),
      isAllocated: () => arena.isAllocated(offset),
      blockOf: () => arena.blockOf(offset),
      adopt: () => arena.adopt(offset),
      recover: () => arena.recover(257),
      rebuild: () => arena.rebuild([]),
      stats: () => arena.stats(),
      blocks: () => arena.blocks(),
      check: () => arena.check(),
      workerIds: () => arena.workerIds(),
      workerId: () => arena.workerId,
      freeUnits: () => arena.freeUnits,
      largestFree: () => arena.largestFree,
    };
    const rest = ['constructor', 'detach', 'buffer', 'capacity', 'maxWorkers', 'trackOwners'];
    expect([...Object.keys(calls), ...rest].sort()).toEqual(
      Object.getOwnPropertyNames(SharedBuddyAllocator.prototype).sort(),
    );
    for (const [name, call] of Object.entries(calls))
      expect([name, thrown(call)]).toEqual([name, 'DETACHED']);
    expect(attach(buffer).sizeOf(offset)).toBe(1);
  });

  it('are as many as there are slots, and give them back', () => {
    const a = create({ capacity: 64, maxWorkers: 3 });
    const b = attach(a.buffer);
    attach(a.buffer);
    expect(SharedBuddyAllocator.attach(a.buffer)).toBeNull();
    b.free(b.alloc(1));
    b.detach();
    b.detach();
    expect(thrown(() => b.alloc(1))).toBe('DETACHED');
    expect(thrown(() => b.alloc(-1))).toBe('DETACHED');
    expect(thrown(() => b.free(0))).toBe('DETACHED');
    expect(thrown(() => b.stats())).toBe('DETACHED');
    const { workerId } = attach(a.buffer);
    expect(a.workerIds()).toContain(workerId);
    expect(SharedBuddyAllocator.attach(a.buffer)).toBeNull();
    expect(a.check()).toEqual([]);
  });

  it('take the empty words of each other when they need the room', () => {
    const a = create({ capacity: 256 });
    const b = attach(a.buffer);
    for (const arena of [a, b]) {
      for (const size of [1, 2, 4, 8, 16, 64]) arena.free(arena.alloc(size));
    }
    expect(a.stats()).toMatchObject({ largestFree: 256, freeBlocks: 1 });
    expect(a.alloc(256)).toBe(0);
    expect(b.alloc(1)).toBe(-1);
    a.free(0);
    expect(b.alloc(1)).toBeGreaterThanOrEqual(0);
    expect(a.check()).toEqual([]);
  });

  it('keep apart and lose nothing, whatever they do in turn', () => {
    const step = fc.record({
      by: fc.nat(2),
      free: fc.boolean(),
      pick: fc.nat(1000),
      order: fc.integer({ min: 0, max: 9 }),
      slack: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.boolean(),
        fc.array(step, { maxLength: 120 }),
        (capacity, trackOwners, steps) => {
          const first = create({ capacity, maxWorkers: 3, trackOwners });
          const arenas = [first, attach(first.buffer), attach(first.buffer)];
          const owner = new Int32Array(capacity).fill(-1);
          const live = new Map<number, number>();
          for (const { by, free, pick, order, slack } of steps) {
            const arena = arenas[by];
            if (free && live.size > 0) {
              const [offset, size] = [...live][pick % live.size];
              expect(arena.free(offset)).toBe(size);
              owner.fill(-1, offset, offset + size);
              live.delete(offset);
              continue;
            }
            const size = 2 ** order;
            const offset = arena.alloc(slack && size > 2 ? size - 1 : size);
            if (offset < 0) {
              // If no other worker is in a call, an allocation fails only if nothing fits.
              for (let at = 0; at + size <= capacity; at += size) {
                expect(owner.subarray(at, at + size).some((o) => o >= 0)).toBe(true);
              }
              continue;
            }
            expect(offset % size).toBe(0);
            expect(offset + size).toBeLessThanOrEqual(capacity);
            expect(owner.subarray(offset, offset + size).every((o) => o < 0)).toBe(true);
            owner.fill(offset, offset, offset + size);
            live.set(offset, size);
          }
          expect(first.check()).toEqual([]);
          const blocks = [...first.blocks()];
          expect(new Map(blocks.filter((b) => !b.free).map((b) => [b.offset, b.size]))).toEqual(
            new Map([...live].sort((x, y) => x[0] - y[0])),
          );
          expect(blocks.reduce((at, b) => (b.offset === at ? at + b.size : -1), 0)).toBe(capacity);
          for (const offset of live.keys()) arenas[1].free(offset);
          for (const arena of arenas.slice(1)) arena.detach();
          expect(first.check()).toEqual([]);
          expect(first.alloc(2 ** Math.floor(Math.log2(capacity)))).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('recover', () => {
  it('takes back the blocks of a worker, if owners are tracked', () => {
    const a = create({ capacity: 500, trackOwners: true });
    const b = attach(a.buffer);
    const mine = a.alloc(10);
    b.alloc(1);
    b.alloc(100);
    const passed = b.alloc(3);
    a.free(passed);
    expect(a.recover(b.workerId)).toEqual({ blocks: 2, units: 129, complete: true });
    expect([...a.blocks()].filter(({ free }) => !free)).toEqual([{ offset: mine, size: 16, free: false }]);
    expect(a.check()).toEqual([]);
    expect(a.stats().workers).toBe(1);
  });

  it('does nothing for a worker that is long gone, whichever worker has its slot now', () => {
    const a = create({ capacity: 500, trackOwners: true, maxWorkers: 2 });
    const b = attach(a.buffer);
    const { workerId } = b;
    expect(a.recover(workerId).complete).toBe(true);
    expect(a.recover(workerId)).toEqual({ blocks: 0, units: 0, complete: true });
    const c = attach(a.buffer);
    expect(c.workerId).not.toBe(workerId);
    const offset = c.alloc(5);
    expect(a.recover(workerId)).toEqual({ blocks: 0, units: 0, complete: true });
    expect(c.free(offset)).toBe(8);
    expect(a.workerIds()).toEqual([a.workerId, c.workerId]);
  });

  it('leaves blocks that were adopted, or whose owner has detached itself', () => {
    const a = create({ capacity: 500, trackOwners: true, maxWorkers: 2 });
    const b = attach(a.buffer);
    const adopted = b.alloc(1);
    a.adopt(adopted);
    a.adopt(adopted);
    const kept = b.alloc(2);
    b.detach();
    const c = attach(a.buffer);
    const lost = a.alloc(4);
    c.adopt(lost);
    expect(a.recover(c.workerId)).toEqual({ blocks: 1, units: 4, complete: true });
    expect(a.stats()).toMatchObject({ liveBlocks: 2, usedUnits: 3 });
    a.adopt(kept);
    expect(a.check()).toEqual([]);
    expect(thrown(() => a.adopt(lost))).toBe('NOT_ALLOCATED');
    expect(thrown(() => a.adopt(500))).toBe('RangeError');
    expect(thrown(() => create({ capacity: 8 }).adopt(0))).toBe('NOT_ALLOCATED');
    const untracked = create({ capacity: 8 });
    untracked.adopt(untracked.alloc(1));
  });

  it('lets adopt only the block that was handed over, if it is told by whom', () => {
    const a = create({ capacity: 64, trackOwners: true, maxWorkers: 3 });
    const [b, c] = [attach(a.buffer), attach(a.buffer)];
    const code = (offset: number, from: unknown) => thrown(() => a.adopt(offset, from as number));
    const handed = b.alloc(4);
    expect(code(handed, c.workerId)).toBe('NOT_ALLOCATED');
    expect(code(handed + 1, b.workerId)).toBe('INTERIOR');
    expect(code(handed, b.workerId)).toBe('nothing');
    expect(code(handed, b.workerId)).toBe('NOT_ALLOCATED');
    expect(code(handed, a.workerId)).toBe('nothing');

    // The giver has died, and the same units are another worker's block.
    const { workerId } = b;
    const lost = b.alloc(32);
    expect(a.recover(workerId)).toMatchObject({ blocks: 1, complete: true });
    const theirs = c.alloc(32);
    expect(theirs).toBe(lost);
    expect(code(lost, workerId)).toBe('NOT_ALLOCATED');
    // … or a later worker's, in the slot of the giver.
    c.free(theirs);
    const d = attach(a.buffer);
    expect(d.workerId & 255).toBe(workerId & 255);
    expect(d.alloc(32)).toBe(lost);
    expect(code(lost, workerId)).toBe('NOT_ALLOCATED');
    expect(a.recover(d.workerId)).toEqual({ blocks: 1, units: 32, complete: true });
    expect(code(lost, workerId)).toBe('NOT_ALLOCATED');

    // A worker that detaches itself takes nothing back.
    const left = c.alloc(8);
    const { workerId: leaver } = c;
    c.detach();
    expect(code(left, leaver)).toBe('nothing');
    expect(a.stats()).toMatchObject({ liveBlocks: 2, usedUnits: 12, workers: 1 });
    expect(a.check()).toEqual([]);
    for (const bad of [0, -1, 1.5, Number.NaN, 4, 260, 2 ** 30 + 1, Number.POSITIVE_INFINITY]) {
      expect(code(left, bad), String(bad)).toBe('RangeError');
    }
    for (const bad of ['257', 257n, null, {}]) expect(code(left, bad)).toBe('TypeError');
  });

  it('gives back the slot alone, if owners are not tracked', () => {
    const a = create({ capacity: 500 });
    const b = attach(a.buffer);
    const left = b.alloc(100);
    b.free(b.alloc(1));
    expect(a.recover(b.workerId)).toEqual({ blocks: 0, units: 0, complete: true });
    expect(a.sizeOf(left)).toBe(128);
    expect(a.check()).toEqual([]);
    a.rebuild([]);
    expect(a.stats().usedUnits).toBe(0);
    expect(a.check()).toEqual([]);
  });
});

describe('rebuild', () => {
  it('writes the arena anew around the live blocks', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
        (capacity, trackOwners, orders) => {
          const arena = create({ capacity, trackOwners });
          const live = orders
            .map((order) => ({ offset: arena.alloc(2 ** order), size: 2 ** order }))
            .filter(({ offset }) => offset >= 0);
          // All of the state after the slots is damaged.
          const bytes = (maxWorkers: number) => SharedBuddyAllocator.bytesFor({ capacity, maxWorkers });
          const slots = 16 + 2 * (bytes(5) - bytes(1));
          new Int32Array(arena.buffer).fill(-1, slots);
          const kept = live.filter((_, i) => i % 3 !== 0);
          arena.rebuild(kept);
          expect(arena.check()).toEqual([]);
          expect(
            [...arena.blocks()].filter(({ free }) => !free).map(({ offset, size }) => ({ offset, size })),
          ).toEqual(kept.sort((x, y) => x.offset - y.offset));
          for (const { offset } of kept) arena.free(offset);
          expect(arena.check()).toEqual([]);
          expect(arena.alloc(2 ** Math.floor(Math.log2(capacity)))).toBe(0);
        },
      ),
    );
  });

  it('leaves the blocks of attached workers to them, and gives the others to the caller', () => {
    const a = create({ capacity: 64, trackOwners: true });
    const b = attach(a.buffer);
    const dead = attach(a.buffer);
    const [mine, theirs, orphan] = [a.alloc(4), b.alloc(4), dead.alloc(4)];
    const { workerId } = dead;
    a.recover(workerId);
    a.rebuild([mine, theirs, orphan].map((offset) => ({ offset, size: 4 })));
    expect(a.check()).toEqual([]);
    // A recovery tells whose they are.
    const { workerId: survivor } = a;
    expect(b.recover(survivor)).toEqual({ blocks: 2, units: 8, complete: true });
    expect([mine, theirs, orphan].map((offset) => b.isAllocated(offset))).toEqual([false, true, false]);
  });
});
