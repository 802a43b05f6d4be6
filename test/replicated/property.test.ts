// Any sequence of operations, by several clients of one log, gives what the model gives.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { BuddyError, type HeldBlock, MemoryLog, ReplicatedArena } from '../../src/replicated.ts';
import { Random } from '../support/random.ts';
import { type Answer, Model, type Request } from './model.ts';

const CAPACITY = 48;

type Step =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'free'; readonly which: number; readonly cooldown: number | undefined }
  | { readonly kind: 'renew'; readonly which: number; readonly ttl: number | undefined }
  | { readonly kind: 'reap' }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'check' }
  | { readonly kind: 'wait'; readonly milliseconds: number };

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const time = fc.integer({ min: 1, max: 10 });
const common = {
  key: maybe(fc.constantFrom('a', 'b', 'c', 'd')),
  owner: maybe(fc.constantFrom('x', 'y')),
  ttl: maybe(time),
};
const size = fc.integer({ min: 1, max: 20 });
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ op: fc.constant('alloc' as const), size, ...common }),
  fc.record({ op: fc.constant('range' as const), size, alignment: fc.constantFrom(1, 3, 4, 10), ...common }),
  fc.record({
    op: fc.constant('reserve' as const),
    size,
    offset: fc.integer({ min: 0, max: 28 }),
    ...common,
  }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: request.map((one) => ({ kind: 'request', request: one }) as const) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('free' as const), which: fc.nat(40), cooldown: maybe(time) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('renew' as const), which: fc.nat(40), ttl: maybe(time) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), milliseconds: time }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('reap' as const, 'reopen' as const, 'check' as const) }),
  },
);

/** What a call comes to, in the words of the model. */
async function answer(call: Promise<unknown>): Promise<Answer> {
  try {
    return (await call) as Answer;
  } catch (error) {
    if (error instanceof BuddyError) return error.code;
    throw error;
  }
}

function send(
  arena: ReplicatedArena,
  { op, size: units, alignment, offset, ...options }: Request,
): Promise<unknown> {
  if (op === 'alloc') return arena.alloc(units, options);
  if (op === 'range') return arena.allocRange(units, { alignment, ...options });
  return arena.reserve(offset ?? 0, units, options);
}

const bare = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  const { offset, size: units, token } = value as HeldBlock;
  return { offset, size: units, token };
};

it('answers as the model does, whatever the clients do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), step), { maxLength: 80 }), async (steps) => {
      const model = new Model(CAPACITY);
      const log = new MemoryLog(() => model.now);
      const open = () => ReplicatedArena.open(log, 'pool', { capacity: CAPACITY });
      const clients = [await open(), await open()];
      const known: HeldBlock[] = [];
      for (const [client, action] of steps) {
        const arena = clients[client];
        if (action.kind === 'wait') model.now += action.milliseconds;
        else if (action.kind === 'reopen') clients[client] = await open();
        else if (action.kind === 'check') expect(await arena.check()).toEqual([]);
        else if (action.kind === 'reap') expect(await answer(arena.reap())).toEqual(model.reap());
        else if (action.kind === 'request') {
          const got = await answer(send(arena, action.request));
          expect(bare(got)).toEqual(bare(model.request(action.request)));
          if (typeof got === 'object' && got !== null) known.push(got as HeldBlock);
        } else if (known.length > 0) {
          const { offset, token } = known[action.which % known.length];
          if (action.kind === 'free') {
            const { cooldown } = action;
            expect(await answer(arena.free({ offset, token }, { cooldown }))).toEqual(
              model.free(offset, token, cooldown),
            );
          } else {
            const { ttl } = action;
            expect(await answer(arena.renew({ offset, token }, { ttl }))).toEqual(
              model.renew(offset, token, ttl),
            );
          }
        }
      }
      for (const arena of clients) {
        expect(await arena.sync()).toBe(model.number);
        const byAddress = model.blocks.toSorted((a, b) => a.offset - b.offset);
        expect(arena.list().map(bare)).toEqual(byAddress.map(bare));
        expect(arena.stats().coolingBlocks).toBe(model.blocks.filter(({ cooling }) => cooling).length);
        for (let unit = 0; unit < CAPACITY; unit++) {
          const holder = model.blocks.find(
            ({ offset, size: units }) => offset <= unit && unit < offset + units,
          );
          expect(bare(arena.blockOf(unit))).toEqual(holder === undefined ? null : bare(holder));
        }
        for (const key of ['a', 'b', 'c', 'd']) {
          const holder = model.blocks.find(({ request: { key: of }, cooling }) => of === key && !cooling);
          expect(bare(arena.find(key))).toEqual(holder === undefined ? null : bare(holder));
        }
        expect(await arena.check()).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

it('places 20,000 blocks of random sizes as BuddyAllocator does', async () => {
  const capacity = 2 ** 16;
  const random = new Random(7);
  const arena = await ReplicatedArena.open(new MemoryLog(), 'pool', { capacity });
  const plain = new BuddyAllocator({ capacity });
  const blocks: { offset: number; token: number }[] = [];
  for (let done = 0; done < 20_000; done += 100) {
    const calls = Array.from({ length: 100 }, async () => {
      if (random.next() < blocks.length / 4000) {
        const [block] = blocks.splice(random.below(blocks.length), 1);
        const units = plain.free(block.offset);
        expect(await arena.free(block)).toBe(units);
      } else {
        const size = 1 + random.below(random.next() < 0.9 ? 16 : 2000);
        const offset = plain.alloc(size);
        const got = await arena.alloc(size);
        expect(got?.offset ?? -1).toBe(offset);
        if (got !== null) blocks.push(got);
      }
    });
    await Promise.all(calls);
  }
  expect(arena.number).toBe(20_000);
  expect([...arena.snapshot().blocks()]).toEqual([...plain.blocks()]);
  expect(await arena.check()).toEqual([]);
}, 60_000);
