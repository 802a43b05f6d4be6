// What every log has to do, and arenas over it.

import { expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { type Log, type LogRecord, ReplicatedArena } from '../../src/replicated.ts';
import { Random } from '../support/random.ts';

/** A log under test, and another connection to it. */
export interface TestedLog {
  readonly log: Log;
  readonly other: Log;
}

let suites = 0;

/** Tests of a log. Each uses arenas of its own. */
export function testLog(get: () => TestedLog): void {
  const suite = ++suites;
  /** The name of an arena of this suite: some share a server. */
  const named = (arena: string): string => `${arena} ${suite}`;
  const first = async (log: Log, arena: string): Promise<LogRecord> =>
    ((await log.append(arena, 'first', null)) as LogRecord[])[0];

  it('gives each record a position, a time, and the order of the appends', async () => {
    const { log, other } = get();
    const begin = await first(log, named('order'));
    expect(begin).toMatchObject({ data: 'first' });
    expect(Math.abs(begin.time - Date.now())).toBeLessThan(60_000);
    expect(Number.isInteger(begin.time)).toBe(true);
    expect(await log.append(named('order'), 'a', begin.position)).toMatchObject([{ data: 'a' }]);
    const both = (await other.append(named('order'), 'b "\\u0000é𝄞', begin.position)) as LogRecord[];
    expect(both.map(({ data }) => data)).toEqual(['a', 'b "\\u0000é𝄞']);
    expect(await log.read(named('order'), begin.position)).toEqual(both);
    expect(await log.read(named('order'), both[0].position)).toEqual(both.slice(1));
    expect(await log.read(named('order'), both[1].position)).toEqual([]);
    expect(new Set([begin, ...both].map(({ position }) => position)).size).toBe(3);
    expect([begin, ...both].map(({ time }) => time)).toEqual([begin, ...both].map(({ time }) => time).sort());
  });

  it('knows nothing of an arena that is not there', async () => {
    const { log } = get();
    const { position } = await first(log, named('there'));
    expect(await log.load(named('none'))).toBeNull();
    expect(await log.read(named('none'), position)).toBeNull();
    expect(await log.append(named('none'), 'x', position)).toBeNull();
    expect(await log.save(named('none'), { position, number: 1, data: '' })).toBe(false);
    expect(await log.load(named('none'))).toBeNull();
  });

  it('keeps the snapshot of the largest number, and the records from the one before on', async () => {
    const { log, other } = get();
    const begin = await first(log, named('snap}shots'));
    expect(await log.save(named('snap}shots'), { position: begin.position, number: 0, data: 'zero' })).toBe(
      true,
    );
    expect(
      await other.save(named('snap}shots'), { position: begin.position, number: 0, data: 'again' }),
    ).toBe(false);
    const snapshot = { position: begin.position, number: 0, data: 'zero' };
    expect(await other.load(named('snap}shots'))).toEqual(snapshot);
    const records: LogRecord[] = [begin];
    for (let i = 1; i <= 3; i++) {
      const { position } = records[records.length - 1];
      records.push(((await log.append(named('snap}shots'), `record ${i}`, position)) as LogRecord[])[0]);
    }
    const at = (i: number, number: number) => ({ position: records[i].position, number, data: `${i}` });
    expect(await log.save(named('snap}shots'), at(2, 2))).toBe(true);
    expect(await log.save(named('snap}shots'), at(1, 1))).toBe(false);
    expect(
      await log
        .save(named('snap}shots'), { ...at(3, 9), position: records[3].position.replace(/.$/, 'x') })
        .catch(() => false),
    ).toBe(false);
    expect(await log.load(named('snap}shots'))).toEqual(at(2, 2));
    expect(await log.read(named('snap}shots'), records[0].position)).toEqual(records.slice(1));
    expect(await log.save(named('snap}shots'), at(3, 3))).toBe(true);
    expect(await log.read(named('snap}shots'), records[2].position)).toEqual(records.slice(3));
  });

  it('of which a position is missing says so', async () => {
    const { log } = get();
    const { position } = await first(log, named('missing'));
    const wrong = `${position}7`;
    expect(await log.read(named('missing'), wrong)).toBeNull();
    expect(await log.append(named('missing'), 'x', wrong)).toBeNull();
    expect(await log.read(named('missing'), position)).toMatchObject([{ data: 'x' }]);
  });

  it('numbers records that are appended at once', async () => {
    const { log, other } = get();
    const { position } = await first(log, named('at once'));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? log : other).append(named('at once'), `${i}`, position)),
    );
    const all = (await log.read(named('at once'), position)) as LogRecord[];
    expect(all.map(({ data }) => Number(data)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const [i, answer] of answers.entries()) {
      const records = answer as LogRecord[];
      expect(records).toEqual(all.slice(0, records.length));
      expect(records.map(({ data }) => data)).toContain(`${i}`);
    }
  });

  it('serves two clients as BuddyAllocator serves one', async () => {
    const { log, other } = get();
    const capacity = 4096;
    const clients = [
      await ReplicatedArena.open(log, named('two clients'), { capacity }),
      await ReplicatedArena.open(other, named('two clients'), { capacity }),
    ];
    const random = new Random(3);
    const plain = new BuddyAllocator({ capacity });
    const blocks: { offset: number; token: number }[] = [];
    for (let done = 0; done < 2000; done += 50) {
      const client = clients[random.below(2)];
      const calls = Array.from({ length: 50 }, async () => {
        if (random.next() < blocks.length / 400) {
          const [block] = blocks.splice(random.below(blocks.length), 1);
          const units = plain.free(block.offset);
          expect(await client.free(block)).toBe(units);
        } else {
          const offset = plain.alloc(1 + random.below(20));
          const size = offset < 0 ? 4096 : plain.sizeOf(offset);
          const block = await client.alloc(size, { owner: 'me', key: `${done} ${random.next()}` });
          expect(block?.offset ?? -1).toBe(offset);
          if (block !== null) blocks.push(block);
        }
      });
      await Promise.all(calls);
    }
    for (const client of clients) {
      expect(await client.sync()).toBe(2000);
      expect([...client.snapshot().blocks()]).toEqual([...plain.blocks()]);
      expect(await client.check()).toEqual([]);
    }
  });

  it('leases by its own clock', async () => {
    const { log } = get();
    const arena = await ReplicatedArena.open(log, named('leases'), { capacity: 16 });
    const block = await arena.alloc(16, { ttl: 40 });
    expect(Math.abs((block?.expires ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await arena.reap()).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await arena.alloc(1)).toMatchObject({ offset: 0 });
  });

  it('says what it is set to', async () => {
    const { crash, failover } = await get().log.durability();
    expect([true, false, null]).toContain(crash);
    expect([true, false, null]).toContain(failover);
  });
}
