// Faults that random programs have found.

import { describe, expect, it } from 'vitest';
import { Channel, SharedHeap } from '../../src/shared.ts';
import { lifeIn } from '../support/mortal.ts';
import { Random } from '../support/random.ts';

function attach(heap: SharedHeap): SharedHeap {
  const other = SharedHeap.attach(heap.handle);
  if (other === null) throw new Error('no slot is left');
  return other;
}

it('a block in memory that another worker has added has the size that was asked for', () => {
  const heap = SharedHeap.create({ size: 2 ** 16, maximum: 2 ** 20, keepSizes: true });
  const other = attach(heap);
  const { end } = heap;
  heap.free(heap.malloc(2 ** 18));
  const blocks: number[] = [];
  do blocks.push(other.malloc(20_000));
  while ((blocks.at(-1) as number) < end);
  expect(blocks.map((ptr) => other.lengthOf(ptr))).toEqual(blocks.map(() => 20_000));
});

it('alignedAlloc gives back the rest of a block in memory that another worker has added', () => {
  const heap = SharedHeap.create({ size: 2 ** 16, maximum: 2 ** 20 });
  const other = attach(heap);
  const { end } = heap;
  heap.free(heap.malloc(2 ** 18));
  const sizes: number[] = [];
  for (let ptr = 0; ptr < end; sizes.push(other.usableSize(ptr))) ptr = other.alignedAlloc(2 ** 13, 100);
  expect(new Set(sizes).size).toBe(1);
});

describe('a receiver that dies anywhere in receive', () => {
  /** All blocks that the heap has after the death number `death`; undefined if the receiver has outlived the call. */
  function died(death: number) {
    const heap = SharedHeap.create({ size: 2 ** 16, trackOwners: true, maxWorkers: 2 });
    const receiver = attach(heap);
    const channel = Channel.create(heap, 4) as Channel;
    const sent = [heap.malloc(100), heap.malloc(100)];
    for (const ptr of sent) channel.send(ptr);
    const inbox = Channel.attach(receiver, channel.ptr);
    const lives = lifeIn(death)(() => inbox.receive());
    return lives ? undefined : { heap, channel, sent, id: receiver.workerId };
  }

  const pointers = (channel: Channel): number[] => channel.takeBack().map(({ ptr }) => ptr);

  it('leaves no entry for a block that has been allocated anew', () => {
    let deaths = 0;
    for (let end = died(deaths); end !== undefined; end = died(++deaths)) {
      const { heap, channel, id } = end;
      heap.recover(id);
      const anew = new Set<number>();
      for (let ptr = heap.malloc(100); ptr !== 0; ptr = heap.malloc(100)) anew.add(ptr);
      expect(pointers(channel).filter((ptr) => anew.has(ptr))).toEqual([]);
    }
    expect(deaths).toBeGreaterThan(4);
  });

  it('loses no block if the sender takes back before recovery', () => {
    let deaths = 0;
    for (let end = died(deaths); end !== undefined; end = died(++deaths)) {
      const { heap, channel, sent, id } = end;
      const back = pointers(channel);
      const { blocks } = heap.recover(id);
      expect([back.length + blocks, sent.filter((ptr) => heap.isAllocated(ptr))]).toEqual([2, back]);
      expect(heap.stats().liveBlocks).toBe(1 + back.length);
    }
    expect(deaths).toBeGreaterThan(4);
  });
});

it('workers that take turns do not grow the heap on and on, if others empty their slabs', () => {
  const first = SharedHeap.create({ size: 2 ** 16, maximum: 2 ** 28 });
  const heaps = [first, ...Array.from({ length: 5 }, () => attach(first))];
  const random = new Random(7);
  let most = 0;
  for (let turn = 0; turn < 600; turn++) {
    const size = 16 + random.below(2 ** (4 + random.below(10)));
    const blocks = Array.from({ length: Math.floor(200_000 / size) }, () => heaps[turn % 6].malloc(size));
    most = Math.max(most, first.usedBytes);
    for (const ptr of blocks) heaps[(turn + 1) % 6].free(ptr);
  }
  // Each worker keeps 256 KiB of slabs, or twice what it needs.
  expect(first.stats().capacity).toBeLessThan(6 * 2 ** 18 + 6 * most);
  expect(first.check()).toEqual([]);
});
