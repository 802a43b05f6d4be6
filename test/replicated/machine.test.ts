// The state machine by itself: that it is one, and that its check finds what is wrong.

import { describe, expect, it } from 'vitest';
import { BuddyAllocator } from '../../src/index.ts';
import { checkMachine } from '../../src/replicated/check.ts';
import { Fifo } from '../../src/replicated/fifo.ts';
import { type Allocated, Machine } from '../../src/replicated/machine.ts';
import type { Operation } from '../../src/replicated/operation.ts';
import { decodeState, encodeState } from '../../src/replicated/snapshot.ts';
import { Random } from '../support/random.ts';

const empty = () => new Machine(Machine.emptyState(64));

/** A record of a client that has all that `machine` has. */
const batch = ({ number, hash }: Machine, id: string, ...ops: Operation[]) => ({ id, at: number, hash, ops });

describe('apply', () => {
  it('gives the same on two machines, and on one that begins with the state of another', () => {
    const random = new Random(5);
    const machines = [empty(), empty()];
    for (let i = 0; i < 3000; i++) {
      const [{ number }] = machines;
      const operation: Operation = [
        { op: 'alloc', size: 1 + random.below(9), ttl: 50 } as const,
        {
          op: 'range',
          size: 1 + random.below(9),
          alignment: 1 + random.below(3),
          key: `${random.below(40)}`,
        } as const,
        {
          op: 'free',
          offset: random.below(64),
          token: Math.max(1, number - random.below(9)),
          cooldown: 20,
        } as const,
        { op: 'reap' } as const,
      ][random.below(4)];
      const record = batch(machines[0], `${i}`, operation);
      const [first, second] = machines.map((machine) => machine.apply(record, 7 * i));
      expect(second).toEqual(first);
      expect(machines[1].hash).toBe(machines[0].hash);
      if (i % 100 === 99) {
        machines[1] = new Machine(decodeState(encodeState(machines[0].state())));
        expect(machines[1].state()).toEqual(machines[0].state());
        expect(checkMachine(machines[1])).toEqual([]);
      }
    }
  });

  it('places a million random blocks as BuddyAllocator does', () => {
    const capacity = 2 ** 16;
    const random = new Random(11);
    const machine = new Machine(Machine.emptyState(capacity));
    const plain = new BuddyAllocator({ capacity });
    const held: Allocated[] = [];
    for (let done = 0; done < 1_000_000; done += 100) {
      const ops: Operation[] = [];
      const expected: number[] = [];
      for (let i = 0; i < 100; i++) {
        if (random.next() < held.length / 4000) {
          const [{ holding }] = held.splice(random.below(held.length), 1);
          ops.push({ op: 'free', offset: holding.offset, token: holding.token });
          expected.push(plain.free(holding.offset));
        } else {
          const size = 1 + random.below(random.next() < 0.9 ? 16 : 2000);
          ops.push({ op: 'alloc', size });
          expected.push(plain.alloc(size));
        }
      }
      const { results } = machine.apply(batch(machine, `${done}`, ...ops), done);
      for (const [i, result] of results.entries()) {
        const isBlock = typeof result === 'object' && result !== null && 'holding' in result;
        if (isBlock) held.push(result);
        const got = isBlock ? result.holding.offset : (result ?? -1);
        if (got !== expected[i]) expect(got, `operation ${done + i + 1}`).toBe(expected[i]);
      }
    }
    expect(machine.number).toBe(1_000_000);
    expect([...machine.allocator.blocks()]).toEqual([...plain.blocks()]);
    expect(checkMachine(machine)).toEqual([]);
  });

  it('takes a record once, and none whose claim is wrong', () => {
    const machine = empty();
    const record = batch(machine, 'a', { op: 'alloc', size: 4 });
    expect(machine.apply(record, 1).void).toBeNull();
    const state = machine.state();
    expect(machine.apply(record, 2).void).toBe('duplicate');
    expect(machine.apply({ ...record, id: 'b', hash: 1 }, 2).void).toBe('contradicted');
    expect(machine.apply({ ...record, id: 'b', at: 2 }, 2).void).toBe('contradicted');
    expect(machine.state()).toEqual(state);
    for (let i = 0; i < 2 ** 14 + 1; i++) machine.apply(batch(machine, `c${i}`, { op: 'reap' }), 2);
    expect(machine.apply({ ...record, id: 'b' }, 2).void).toBe('stale');
    expect(machine.apply(record, 2).void).toBe('stale');
  });

  it('tells one client when a snapshot is due', () => {
    const machine = empty();
    const due: number[] = [];
    for (let i = 0; i < 2 ** 17 + 4; i++) {
      if (machine.apply(batch(machine, `${i}`, { op: 'reap' }), 1).snapshotDue) due.push(machine.number);
    }
    expect(due).toEqual([2 ** 16, 2 ** 17]);
  });
});

describe('checkMachine', () => {
  it('finds blocks that nobody holds, holders without blocks, and overlaps', () => {
    const machine = empty();
    machine.apply(batch(machine, 'a', { op: 'range', size: 7, alignment: 1 }, { op: 'alloc', size: 8 }), 1);
    machine.allocator.free(8);
    expect(checkMachine(machine)).toEqual([
      'live blocks do not tile the held block at 8',
      'units are in use that nobody holds',
    ]);
    machine.allocator.alloc(8);
    expect(checkMachine(machine)).toEqual([]);
    machine.allocator.reserve(40, 1);
    expect(checkMachine(machine)).toEqual(['units are in use that nobody holds']);
    const [first, second] = machine.holdings();
    const overlapping = new Machine({
      ...machine.state(),
      holdings: [first, { ...second, offset: 6, size: 2 }],
    });
    expect(checkMachine(overlapping)).toContain('the held block at 6 overlaps the one before it');
  });
});

describe('Fifo', () => {
  it('gives back what was pushed, in order', () => {
    const fifo = new Fifo<number>();
    let next = 0;
    for (let i = 0; i < 1000; i++) {
      fifo.push(i);
      if (i % 3 === 0) expect(fifo.shift()).toBe(next++);
    }
    expect(fifo.length).toBe(1000 - next);
    expect([fifo.at(0), fifo.at(1), fifo.at(5000)]).toEqual([next, next + 1, undefined]);
    expect(fifo.toArray()).toEqual(Array.from({ length: fifo.length }, (_, i) => next + i));
    while (fifo.length > 0) expect(fifo.shift()).toBe(next++);
    expect(fifo.shift()).toBeUndefined();
  });
});
