// Several clients of one log: batches, lost replies, snapshots, and clients or logs that are no longer to be trusted.

import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Allocation,
  type Log,
  type LogRecord,
  MemoryLog,
  ReplicatedArena,
} from '../../src/replicated.ts';
import { codeOf } from './code-of.ts';

/** A log whose calls can be counted, refused and falsified. */
class TestLog extends MemoryLog {
  readonly appended: string[] = [];
  /** Errors for the next calls, by method. */
  readonly failures: { append: Error[]; read: Error[]; save: Error[]; load: Error[] } = {
    append: [],
    read: [],
    save: [],
    load: [],
  };
  /** What readers see instead of what is there. */
  falsify = (records: readonly LogRecord[]): readonly LogRecord[] => records;

  /** What an append waits for before it replies. */
  gate: Promise<unknown> = Promise.resolve();

  override async append(arena: string, data: string, after: string | null) {
    this.appended.push(data);
    await this.gate;
    const records = await super.append(arena, data, after);
    const failure = this.failures.append.shift();
    if (failure !== undefined) throw failure;
    return records === null ? null : this.falsify(records);
  }

  override async read(arena: string, after: string) {
    const failure = this.failures.read.shift();
    if (failure !== undefined) throw failure;
    const records = await super.read(arena, after);
    return records === null ? null : this.falsify(records);
  }

  override async save(...parameters: Parameters<Log['save']>) {
    const failure = this.failures.save.shift();
    if (failure !== undefined) throw failure;
    return super.save(...parameters);
  }

  override async load(arena: string) {
    const failure = this.failures.load.shift();
    if (failure !== undefined) throw failure;
    return super.load(arena);
  }
}

let log: TestLog;
let a: ReplicatedArena;
let b: ReplicatedArena;

const open = (options: { patience?: number } = {}) =>
  ReplicatedArena.open(log, 'pool', { capacity: 1024, ...options });

beforeEach(async () => {
  log = new TestLog();
  [a, b] = [await open(), await open()];
  log.appended.length = 0;
});

/** Runs `count` operations, an alloc and its free by turns, in batches. */
async function churn(arena: ReplicatedArena, count: number): Promise<void> {
  for (let done = 0; done < count; done += 256) {
    const cycle = async () => arena.free((await arena.alloc(1)) as Allocation);
    await Promise.all(Array.from({ length: Math.min(256, count - done) / 2 }, cycle));
  }
}

const lost = () => new Error('the connection was lost');

describe('batches', () => {
  it('take what comes up at once, and then what comes up during the call', async () => {
    log.gate = new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const first = [a.alloc(1), a.alloc(1)];
    await new Promise((resolve) => setImmediate(resolve));
    const second = [a.alloc(1), a.sync(), a.alloc(1), a.alloc(1)];
    await Promise.all([...first, ...second]);
    expect(log.appended.map((data) => JSON.parse(data).ops.length)).toEqual([2, 3]);
  });

  it('have 256 operations at most', async () => {
    const blocks = await Promise.all(Array.from({ length: 600 }, () => a.alloc(1)));
    expect(log.appended.map((data) => JSON.parse(data).ops.length)).toEqual([256, 256, 88]);
    expect(blocks.map((block) => block?.offset)).toEqual(Array.from({ length: 600 }, (_, i) => i));
  });

  it('refuse an operation without the others', async () => {
    const [block, refused, other] = await Promise.allSettled([
      a.alloc(1),
      a.free({ offset: 9, token: 9 }),
      a.alloc(1),
    ]);
    expect([block.status, refused.status, other.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(a.number).toBe(3);
  });
});

describe('two clients', () => {
  it('see the blocks of each other', async () => {
    const block = await a.alloc(4, { owner: 'a' });
    expect(b.number).toBe(0);
    expect(await b.sync()).toBe(1);
    expect(b.list()).toEqual(a.list());
    expect(await b.free(block as Allocation)).toBe(4);
  });

  it('opening at once make one arena', async () => {
    const clients = await Promise.all(
      [1, 2, 3].map(() => ReplicatedArena.open(log, 'new', { capacity: 16 })),
    );
    const blocks = await Promise.all(clients.map((client) => client.alloc(4)));
    expect(blocks.map((block) => block?.offset).sort((x = 0, y = 0) => x - y)).toEqual([0, 4, 8]);
  });

  it('of which one makes the arena and dies before its snapshot', async () => {
    log.failures.save.push(lost());
    expect(await codeOf(ReplicatedArena.open(log, 'new', { capacity: 16 }))).toBe('Error');
    const arena = await ReplicatedArena.open(log, 'new', { capacity: 16 });
    expect(await arena.alloc(16)).toMatchObject({ token: 1 });
  });
});

describe('a lost reply', () => {
  it('is asked for again, and the operations take effect once', async () => {
    log.failures.append.push(lost(), lost());
    const blocks = await Promise.all([a.alloc(4), a.alloc(4)]);
    expect(blocks.map((block) => block?.offset)).toEqual([0, 4]);
    expect(log.appended).toHaveLength(3);
    expect(new Set(log.appended).size).toBe(1);
    await b.sync();
    expect(b.list()).toEqual(a.list());
    expect(await b.check()).toEqual([]);
  });

  it('is not asked for again without patience, and a retry with the key tells', async () => {
    const hasty = await open({ patience: 0 });
    log.failures.append.push(lost());
    const error: Error & { code?: string } = await hasty.alloc(4, { key: 'k' }).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.code).toBe('UNSURE');
    expect(error.message).toBe('the log does not answer: the connection was lost');
    expect((error.cause as Error).message).toBe('the connection was lost');
    expect(await hasty.alloc(4, { key: 'k' })).toMatchObject({
      offset: 0,
      token: 1,
      number: 2,
      replayed: true,
    });
  });

  it('that does not show the record is asked for again', async () => {
    let times = 0;
    log.falsify = (records) => (times++ < 2 ? [] : records);
    expect(await a.alloc(4)).toMatchObject({ token: 1 });
    expect(log.appended).toHaveLength(3);
    const hasty = await open({ patience: 0 });
    times = 0;
    await expect(hasty.alloc(4)).rejects.toMatchObject({
      code: 'UNSURE',
      message: 'the log does not answer: the record that was appended is not among those after it',
    });
  });

  it('by which the record is in a snapshot already is UNSURE', async () => {
    await churn(b, 2 ** 17 - 2 ** 8);
    await a.sync();
    const append = log.append.bind(log);
    log.append = async (...parameters) => {
      log.append = append;
      await append(...parameters);
      await churn(b, 2 ** 9);
      return null;
    };
    const error = await a.alloc(4, { key: 'k' }).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'UNSURE', message: expect.stringContaining('lost in a snapshot') });
    expect(await a.alloc(4, { key: 'k' })).toMatchObject({ replayed: true });
    expect(await a.check()).toEqual([]);
  }, 60_000);

  it('that comes when the log no longer tells what became of the record is UNSURE', async () => {
    const patient = await open({ patience: 60_000 });
    const append = log.append.bind(log);
    log.append = async (...parameters) => {
      log.append = append;
      await append(...parameters);
      await churn(b, 3 * 2 ** 16);
      throw lost();
    };
    const error = await patient.alloc(4).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'UNSURE', message: expect.stringContaining('no longer tells') });
    expect(patient.list()).toMatchObject([{ size: 4, token: 1 }]);
    expect(await codeOf(patient.alloc(4))).toBe('none');
    expect(await patient.check()).toEqual([]);
  }, 60_000);

  it('of a reader is asked for again', async () => {
    log.failures.read.push(lost());
    await b.alloc(1);
    expect(await a.sync()).toBe(1);
  });

  it('is waited for only as long as patience lasts', async () => {
    const patient = await open({ patience: 100 });
    for (let i = 0; i < 100; i++) log.failures.append.push(lost());
    const start = performance.now();
    expect(await codeOf(patient.alloc(1))).toBe('UNSURE');
    expect(performance.now() - start).toBeLessThan(1000);
    expect(log.appended.length).toBeGreaterThan(2);
    log.failures.append.length = 0;
    expect(await codeOf(patient.alloc(1))).toBe('none');
  });
});

describe('snapshots', () => {
  it('replace the records, and a client that was away goes on from the newest', async () => {
    const kept = (await a.alloc(4, { key: 'kept', meta: 'x' })) as Allocation;
    await churn(a, 3 * 2 ** 16);
    expect(a.stats().snapshotError).toBeNull();
    const records = (await log.read('pool', String(log.appended.length))) as readonly LogRecord[];
    expect(records.length).toBeLessThan(2000);
    expect(await b.sync()).toBe(a.number);
    expect(b.list()).toEqual(a.list());
    expect(await b.alloc(4, { key: 'kept' })).toMatchObject({
      offset: kept.offset,
      token: kept.token,
      replayed: true,
    });
    const c = await open();
    expect(await c.check()).toEqual([]);
    expect(c.list()).toEqual(b.list());
  }, 60_000);

  it('are taken by the appending client that is behind, too', async () => {
    await churn(a, 2 ** 17 + 2 ** 10);
    expect(await b.alloc(4)).toMatchObject({ number: a.number + 1 });
    expect(await b.check()).toEqual([]);
  }, 60_000);

  it('are saved by the client whose transactions make them due', async () => {
    for (let i = 0; i < 3; i++) await churn(a.within(log), 2 ** 15);
    expect((await log.load('pool'))?.number).toBe(0);
    expect(await a.sync()).toBe(3 * 2 ** 15);
    expect(await a.check()).toEqual([]);
    expect((await log.load('pool'))?.number).toBe(a.number);
  }, 60_000);

  it('that cannot be saved are no reason to refuse operations', async () => {
    log.failures.save.push(lost());
    await churn(a, 2 ** 16 + 256);
    expect((a.stats().snapshotError as Error).message).toBe('the connection was lost');
    await churn(a, 2 ** 16);
    expect(a.stats().snapshotError).toBeNull();
  }, 60_000);

  it('that are damaged are found', async () => {
    const snapshot = await log.load('pool');
    const state = JSON.parse(snapshot?.data ?? '');
    const block = { offset: 0, size: 4, token: 1, key: null, owner: null, meta: null, expires: null };
    const holding = { ...block, cooling: false, op: 'alloc', asked: 4, alignment: 1 };
    const released = { token: 1, offset: 0, key: null, freed: true };
    const sound = { ...state, number: 2, holdings: [holding], released: [released] };
    const damaged: object[] = [
      { ...state, v: 2 },
      { ...state, v: undefined },
      { ...state, capacity: 0 },
      { ...state, capacity: 2 ** 31 },
      { ...state, hash: -1 },
      { ...state, marks: [] },
      { ...state, released: null },
      { ...state, holdings: [holding, { ...holding, token: 2 }] },
      { ...state, holdings: [{ ...holding, offset: 1023 }] },
      { ...state, holdings: [{ ...holding, size: 0 }] },
      { ...state, holdings: [null] },
      { ...state, holdings: [{ ...holding, key: 1 }] },
      { ...state, holdings: [{ ...holding, expires: 'never' }] },
      { ...state, holdings: [{ ...holding, cooling: undefined }] },
      { ...state, holdings: [{ ...holding, op: 'free' }] },
      { ...state, holdings: [{ ...holding, asked: 0 }] },
      { ...state, released: [null] },
      { ...state, released: [{ ...released, token: 0 }] },
      { ...state, released: [{ ...released, key: 1 }] },
      { ...state, released: [{ ...released, freed: 1 }] },
      { ...state, marks: [null] },
      { ...state, marks: [{}] },
      { ...state, marks: [[0, 0, 0]] },
    ];
    // Holdings, and what is remembered of those given back, are rows of values.
    const inRows = (name: string, value: unknown): unknown =>
      ['holdings', 'released'].includes(name) && Array.isArray(value)
        ? value.map((one) => (one === null ? null : Object.values(one)))
        : value;
    const opening = async (name: string, state: object): Promise<string> => {
      const records = await log.append(name, '', null);
      const data = JSON.stringify(state, inRows);
      await log.save(name, { position: records?.[0].position ?? '', number: 0, data });
      return codeOf(ReplicatedArena.open(log, name));
    };
    expect(await opening('sound', sound)).toBe('none');
    for (const [i, one] of damaged.entries()) {
      expect(await opening(`damaged ${i}`, one), JSON.stringify(one)).toBe(i === 0 ? 'VERSION' : 'CORRUPT');
    }
  });
});

describe('events', () => {
  it('are the changes, in order, and can be followed', async () => {
    const block = (await a.alloc(4, { owner: 'me' })) as Allocation;
    await a.alloc(4096);
    await b.free(block);
    await a.sync();
    const events = await a.events(0);
    expect(events.map(({ number, type }) => [number, type])).toEqual([
      [1, 'alloc'],
      [3, 'free'],
    ]);
    expect(events[0].block).toMatchObject({ offset: 0, size: 4, owner: 'me' });
    expect(await a.events(1)).toEqual(events.slice(1));
    expect(await a.events(3)).toEqual([]);
  });

  it('of before this client was opened are read from the log', async () => {
    for (let i = 0; i < 5; i++) await a.alloc(1);
    const late = await open();
    expect(await late.events(0)).toEqual(await a.events(0));
    await late.alloc(1);
    expect((await late.events(2)).map(({ number }) => number)).toEqual([3, 4, 5, 6]);
  });

  it('that this client has dropped are read from the log, as long as that has them', async () => {
    await churn(a, 10_000);
    const all = await a.events(0);
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
    expect(await a.events(9_000)).toEqual(all.slice(9_000));
    await churn(a, 2 ** 17);
    expect(await codeOf(a.events(0))).toBe('TRUNCATED');
    expect(await a.events(a.number - 10)).toHaveLength(10);
    expect(await codeOf(a.alloc(1))).toBe('none');
  }, 60_000);

  it('are complete after a jump to a snapshot, or refused', async () => {
    await churn(a, 2 ** 17 + 1000);
    await b.sync();
    expect(await codeOf(b.events(0))).toBe('TRUNCATED');
    const [events, others] = [await b.events(b.number - 500), await a.events(b.number - 500)];
    expect(events).toEqual(others);
    expect(events).toHaveLength(500);
  }, 60_000);
});

describe('a client far behind', () => {
  it('catches up first, and then appends again', async () => {
    await churn(a, 2 ** 14 + 512);
    log.appended.length = 0;
    expect(await b.alloc(1)).toMatchObject({ offset: 0, number: a.number + 1 });
    expect(log.appended).toHaveLength(2);
    expect(await b.check()).toEqual([]);
  }, 60_000);
});

describe('a client or a log that is not to be trusted any more', () => {
  /** `data` with some fields of a record changed. */
  const changed = (data: string, fields: object): string =>
    JSON.stringify({ ...JSON.parse(data), ...fields });

  it('a client that has seen another record stops, and the others go on', async () => {
    log.falsify = (records) =>
      records.map((one) => ({ ...one, data: one.data.replace('"size":4', '"size":8') }));
    await a.alloc(4);
    log.falsify = (records) => records;
    // Its claim is wrong, so what it appends has no effect for others. It learns that from what they append.
    await a.alloc(1);
    expect(await b.alloc(1)).toMatchObject({ offset: 4, number: 2 });
    expect(await b.alloc(1)).toMatchObject({ offset: 5, number: 3 });
    expect(await codeOf(a.alloc(1))).toBe('DIVERGED');
    expect(await codeOf(a.sync())).toBe('DIVERGED');
    expect(await codeOf(a.check())).toBe('DIVERGED');
    expect(await b.check()).toEqual([]);
    expect((await open()).list()).toEqual(b.list());
  });

  it('a client that has diverged saves no snapshot', async () => {
    const falsify = log.falsify;
    log.falsify = (records) =>
      records.map((one) => ({ ...one, data: one.data.replace('"size":4', '"size":8') }));
    await a.alloc(4);
    log.falsify = falsify;
    await b.sync();
    await churn(a, 2 ** 16).catch(() => {});
    expect(await codeOf(a.alloc(1))).toBe('DIVERGED');
    expect((await log.load('pool'))?.number).toBe(0);
    expect(await b.alloc(1)).toMatchObject({ offset: 4, number: 2 });
    expect((await open()).list()).toEqual(b.list());
  }, 60_000);

  it('a client learns from check that it has diverged', async () => {
    log.falsify = (records) =>
      records.map((one) => ({ ...one, data: one.data.replace('"size":4', '"size":8') }));
    await a.alloc(4);
    log.falsify = (records) => records;
    expect(await codeOf(a.check())).toBe('DIVERGED');
  });

  it('a doubt that cannot be removed at once is removed before anything is handed out', async () => {
    await b.alloc(1);
    const [data] = log.appended;
    await log.append('pool', changed(data, { id: 'evil', at: 0, hash: 1 }), null);
    log.failures.load.push(lost());
    expect(await a.alloc(1)).toMatchObject({ offset: 1, number: 2 });
    const hasty = await open({ patience: 0 });
    await log.append('pool', changed(data, { id: 'evil 2', at: 0, hash: 1 }), null);
    log.failures.load.push(lost());
    expect(await codeOf(hasty.alloc(1))).toBe('UNSURE');
    expect(await codeOf(hasty.alloc(1))).toBe('none');
    expect(hasty.list()).toHaveLength(4);
    expect(await hasty.check()).toEqual([]);
  });

  it('a record of operations that this log has lost has no effect', async () => {
    await a.alloc(1);
    const [data] = log.appended;
    await log.append('pool', changed(data, { id: 'x', at: 7, hash: 7 }), null);
    expect(await b.alloc(1)).toMatchObject({ number: 2 });
  });

  it('a log that has gone back is refused', async () => {
    await a.alloc(1);
    const copy = new TestLog();
    await ReplicatedArena.open(copy, 'pool', { capacity: 1024 });
    log.append = (...parameters) => copy.append(...parameters);
    log.read = (...parameters) => copy.read(...parameters);
    log.load = (...parameters) => copy.load(...parameters);
    expect(await codeOf(a.sync())).toBe('ROLLED_BACK');
    expect(await codeOf(a.alloc(1))).toBe('ROLLED_BACK');
    expect(await codeOf(b.alloc(1))).toBe('none');
    log.load = async () => null;
    log.read = async () => null;
    expect(await codeOf(b.sync())).toBe('ROLLED_BACK');
  });

  it('a log that has gone back and on is refused', async () => {
    await a.alloc(1);
    await a.alloc(1);
    const copy = new TestLog();
    const other = await ReplicatedArena.open(copy, 'pool', { capacity: 1024 });
    for (let i = 0; i < 5; i++) await other.alloc(2);
    log.append = (...parameters) => copy.append(...parameters);
    log.read = (...parameters) => copy.read(...parameters);
    log.load = (...parameters) => copy.load(...parameters);
    expect(await codeOf(a.alloc(1))).toBe('DIVERGED');
    expect(await other.check()).toEqual([]);
  });

  it('a snapshot whose record is missing is refused', async () => {
    log.read = async () => null;
    expect(await codeOf(open())).toBe('ROLLED_BACK');
  });

  it.each([
    ['a newer version', (data: string) => changed(data, { v: 2 }), 'VERSION'],
    ['no version', (data: string) => changed(data, { v: '1' }), 'CORRUPT'],
    ['no JSON', () => 'x', 'CORRUPT'],
    ['null', () => 'null', 'CORRUPT'],
    ['no operations', (data: string) => changed(data, { ops: {} }), 'CORRUPT'],
    ['no id', (data: string) => changed(data, { id: 1 }), 'CORRUPT'],
    ['no number', (data: string) => changed(data, { at: -1 }), 'CORRUPT'],
    ...[
      null,
      { op: 'none' },
      { op: 'alloc' },
      { op: 'alloc', size: 0 },
      { op: 'alloc', size: 1, key: 1 },
      { op: 'alloc', size: 1, ttl: -1 },
      { op: 'range', size: 1 },
      { op: 'reserve', size: 1, offset: 0.5 },
      { op: 'free', offset: 1 },
      { op: 'renew', offset: -1, token: 1 },
    ].map((operation) => [
      JSON.stringify(operation),
      (data: string) => changed(data, { id: 'x', ops: [operation] }),
      'CORRUPT',
    ]),
  ] as [
    string,
    (data: string) => string,
    string,
  ][])('a record with %s stops a client', async (_, change, code) => {
    await a.alloc(1);
    await log.append('pool', change(log.appended[0]), null);
    expect(await codeOf(b.alloc(1))).toBe(code);
    expect(await codeOf(b.sync())).toBe(code);
  });

  it('a record of offsets beyond the arena has no effect', async () => {
    await a.alloc(1);
    const ops = [
      { op: 'reserve', offset: 1020, size: 8 },
      { op: 'free', offset: 5000, token: 1 },
    ];
    await log.append('pool', changed(log.appended[0], { id: 'x', ops }), null);
    expect(await b.sync()).toBe(3);
    expect(await b.check()).toEqual([]);
  });
});
