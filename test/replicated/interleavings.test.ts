// Clients over a log in every order of their calls, with lost replies, late requests and deaths at every step.

import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { type Log, ReplicatedArena } from '../../src/replicated.ts';
import { type Ending, explore, type Faults, type History, type Program } from './interleavings.ts';

/** Allocates two blocks without keys, and frees the first. */
const patient = (size: number): Program => ({
  patience: 1e6,
  run: async (arena, history) => {
    const first = await history.alloc(arena, size);
    await history.alloc(arena, 2 * size);
    if (first !== null) await history.free(arena, first);
  },
});

/** Allocates two blocks at once with keys, and asks again itself when it is unsure. */
const keyed = (name: string): Program => ({
  patience: 0,
  run: async (arena, history) => {
    const withRetry = async (size: number, key: string) => {
      for (let attempt = 0; attempt < 4; attempt++) if (await history.alloc(arena, size, key)) return;
    };
    await Promise.all([withRetry(1, `${name}1`), withRetry(2, `${name}2`)]);
  },
});

/** What must hold whatever happened. */
async function isSound({ log, history, arenas, crashed }: Ending): Promise<void> {
  const judge = await ReplicatedArena.open(log, 'pool');
  assert.deepEqual(await judge.check(), []);
  const live = history.acknowledged.filter(({ token }) => !history.freed.has(token));
  for (const { offset, token, size } of live) {
    const block = judge.blockOf(offset);
    assert(block?.token === token && block.size === size, `the acknowledged block at ${offset} is lost`);
  }
  for (const arena of arenas) {
    await arena.sync();
    assert.deepEqual(arena.list(), judge.list(), 'two clients see different blocks');
    assert.deepEqual(await arena.check(), []);
  }
  for (const one of history.acknowledged) {
    for (const other of history.acknowledged) {
      assert(one.ended >= other.began || one.number < other.number, 'the real-time order is broken');
    }
  }
  assert(!history.errors.some((code) => code !== 'UNSURE'), `there were ${history.errors.join(', ')}`);
  if (!crashed) await hasNoLeak(judge, history);
}

/** Every block that is held is one that somebody knows of. */
async function hasNoLeak(judge: ReplicatedArena, { acknowledged, freed }: History): Promise<void> {
  const known = new Set(acknowledged.map(({ token }) => token));
  const held = judge.list().map(({ token }) => token);
  assert(
    held.every((token) => known.has(token) && !freed.has(token)),
    'a block is held that nobody knows of',
  );
}

const NONE: Faults = { losses: 0, crashes: 0 };
const ONE_LOSS: Faults = { losses: 1, crashes: 0 };
const ONE_CRASH: Faults = { losses: 0, crashes: 1 };

describe('in every order', () => {
  it.each([
    ['three patient clients', [patient(1), patient(2), patient(1)], NONE, 1000],
    ['two patient clients, and a lost reply', [patient(1), patient(1)], ONE_LOSS, 500],
    ['two patient clients, one of which dies', [patient(1), patient(1)], ONE_CRASH, 100],
    ['two clients with keys, and two lost replies', [keyed('a'), keyed('b')], { losses: 2, crashes: 0 }, 150],
    [
      'two clients with keys, a lost reply and a death',
      [keyed('a'), patient(1)],
      { losses: 1, crashes: 1 },
      300,
    ],
  ] as const)('%s', async (_, programs, faults, least) => {
    const runs = await explore(programs, faults, isSound);
    expect(runs).toBeGreaterThan(least);
  });

  it('another process gets the blocks of a dead one by their keys, and there is one for each', async () => {
    await explore([keyed('a'), patient(4)], { losses: 0, crashes: 1 }, async (ending) => {
      const heir = await ReplicatedArena.open(ending.log, 'pool');
      const first = await heir.alloc(1, { key: 'a1' });
      const second = await heir.alloc(2, { key: 'a2' });
      const held = heir.list().filter(({ key }) => key !== null);
      assert.deepEqual(held.map(({ token }) => token).sort(), [first?.token, second?.token].sort());
      await isSound(ending);
    });
  });
});

describe('what would be wrong is found', () => {
  /** `log`, with the records changed on their way there, and on their way back. */
  const changing = (log: Log, there: (data: string) => string, back: (data: string) => string): Log => ({
    append: async (arena, data, after) => {
      const records = await log.append(arena, there(data), after);
      return records?.map((record) => ({ ...record, data: back(record.data) })) ?? null;
    },
    read: (...parameters) => log.read(...parameters),
    load: (...parameters) => log.load(...parameters),
    save: (...parameters) => log.save(...parameters),
    durability: () => log.durability(),
  });

  it('a record that is taken each time it arrives', async () => {
    let count = 0;
    const wrap = (log: Log): Log =>
      changing(
        log,
        (data) => data.replace(/"id":"[^"]+/, (id) => `${id}~${++count}`),
        (data) => data.replace(/~\d+/, ''),
      );
    await expect(explore([patient(1), patient(1)], ONE_LOSS, isSound, wrap)).rejects.toThrow(
      'this client had another state',
    );
  });

  it('a record that says something else to its own client', async () => {
    const wrap = (log: Log): Log =>
      changing(
        log,
        (data) => data.replace('"size":2', '"size":1'),
        (data) => data.replace('"size":1', '"size":2'),
      );
    await expect(explore([patient(1), patient(1)], NONE, isSound, wrap)).rejects.toThrow('is lost');
  });
});
