// Channel: blocks pass from worker to worker with their ownership, whichever of the two is killed.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Channel, SharedHeap } from '../../src/shared.ts';

const SIZE = 2 ** 20;

function pair(trackOwners = true): { heap: SharedHeap; other: SharedHeap } {
  const heap = SharedHeap.create({ size: SIZE, trackOwners });
  const other = SharedHeap.attach(heap.handle) as SharedHeap;
  return { heap, other };
}

describe('a channel', () => {
  it.each([
    false,
    true,
  ])('passes blocks on in order, as many as it has room for; owners tracked: %s', (tracked) => {
    const { heap, other } = pair(tracked);
    const out = Channel.create(heap, 3) as Channel;
    const inn = Channel.attach(other, out.ptr);
    expect([out.capacity, inn.capacity, inn.size, inn.receive()]).toEqual([4, 4, 0, null]);
    for (let round = 0; round < 5; round++) {
      const sent = [10, 20, 30, 5000].map((length) => ({ ptr: heap.malloc(length), length }));
      for (const { ptr, length } of sent) expect(out.send(ptr, length)).toBe(true);
      const extra = heap.malloc(1);
      expect(out.send(extra)).toBe(false);
      heap.free(extra);
      expect([out.size, inn.size]).toEqual([4, 4]);
      for (const block of sent) {
        expect(inn.receive()).toEqual(block);
        other.free(block.ptr);
      }
      expect(inn.receive()).toBeNull();
    }
    heap.free(out.ptr);
    expect(heap.stats().liveBlocks).toBe(0);
    expect(heap.check()).toEqual([]);
  });

  it('gives the length of the whole block unless another is given', () => {
    const { heap, other } = pair();
    const out = Channel.create(heap) as Channel;
    const ptr = heap.malloc(100);
    out.send(ptr);
    expect(Channel.attach(other, out.ptr).receive()).toEqual({ ptr, length: heap.usableSize(ptr) });
  });

  it('is waited for no longer than told, and not if there is something in it', () => {
    const { heap, other } = pair();
    const out = Channel.create(heap) as Channel;
    const inn = Channel.attach(other, out.ptr);
    expect(inn.wait(0)).toBe(false);
    out.send(heap.malloc(10));
    expect(inn.wait(0)).toBe(true);
    inn.receive();
    expect(inn.wait(1)).toBe(false);
  });

  it('goes on where its numbers wrap around', () => {
    const { heap, other } = pair();
    const out = Channel.create(heap, 4) as Channel;
    // The numbers of blocks sent and received, one before the wrap.
    heap.view(out.ptr, Int32Array).fill(0x7fffffff, 2, 4);
    const inn = Channel.attach(other, out.ptr);
    const sent = [1, 2, 3].map(() => heap.malloc(50));
    for (const ptr of sent) out.send(ptr);
    expect(sent.map(() => inn.receive()?.ptr)).toEqual(sent);
    expect(inn.size).toBe(0);
  });

  it('leaves what was not received to the sender if the receiver dies, and what was to recovery', () => {
    const { heap, other } = pair();
    const out = Channel.create(heap) as Channel;
    const inn = Channel.attach(other, out.ptr);
    const sent = [1, 2, 3, 4].map(() => heap.malloc(100));
    for (const ptr of sent) out.send(ptr);
    inn.receive();
    inn.receive();
    expect(heap.recover(other.workerId)).toMatchObject({ blocks: 2, complete: true });
    expect(out.takeBack().map(({ ptr }) => ptr)).toEqual(sent.slice(2));
    expect(out.size).toBe(0);
    for (const ptr of sent.slice(2)) heap.free(ptr);
    heap.free(out.ptr);
    expect(heap.stats().liveBlocks).toBe(0);
  });

  it('outlives its sender, whose blocks in it go back, and passes over them', () => {
    const { heap, other } = pair();
    const out = Channel.create(other) as Channel;
    const inn = Channel.attach(heap, out.ptr);
    const sent = [1, 2].map(() => other.malloc(100));
    for (const ptr of sent) out.send(ptr);
    expect(inn.receive()?.ptr).toBe(sent[0]);
    expect(heap.recover(other.workerId)).toMatchObject({ blocks: 1, complete: true });
    expect(inn.receive()).toBeNull();
    expect(heap.stats().liveBlocks).toBe(2);
    const next = SharedHeap.attach(heap.handle) as SharedHeap;
    const again = Channel.attach(next, out.ptr);
    const ptr = next.malloc(100);
    again.send(ptr);
    expect(inn.receive()?.ptr).toBe(ptr);
  });

  it('is refused where there is none, and for what is no block', () => {
    const { heap } = pair();
    const code = (call: () => unknown): unknown => {
      try {
        call();
      } catch (error) {
        return (error as { code?: string }).code ?? (error as Error).name;
      }
      return 'nothing';
    };
    const block = heap.callocArray(Int32Array, 100) as Int32Array;
    expect(code(() => Channel.attach(heap, block.byteOffset))).toBe('FOREIGN');
    expect(code(() => Channel.attach(heap, heap.calloc(1, 8)))).toBe('FOREIGN');
    expect(code(() => Channel.attach(heap, 1.5))).toBe('RangeError');
    for (const capacity of [0, -1, 1.5, Number.NaN, 2 ** 20 + 1])
      expect(code(() => Channel.create(heap, capacity))).toBe('RangeError');
    expect(Channel.create(heap, 2 ** 19)).toBeNull();
    const out = Channel.create(heap) as Channel;
    const ptr = heap.malloc(100);
    expect(code(() => out.send(ptr + 16))).toBe('INTERIOR');
    expect(code(() => out.send(ptr, 1000))).toBe('RangeError');
    expect(out.size).toBe(0);
    heap.free(ptr);
    expect(code(() => out.send(ptr))).toBe('NOT_ALLOCATED');
  });

  it('between real workers: all that was sent arrives, and nothing is lost when either is killed', async () => {
    const heap = SharedHeap.create({ size: SIZE, trackOwners: true });
    const url = new URL('../../dist/shared.js', import.meta.url).href;
    const channel = Channel.create(heap, 32) as Channel;
    const start = (code: string): Worker =>
      new Worker(
        `const { parentPort, workerData } = require('node:worker_threads');
        import(${JSON.stringify(url)}).then(({ Channel, SharedHeap }) => {
          const heap = SharedHeap.attach(workerData.handle);
          const channel = Channel.attach(heap, workerData.ptr);
          parentPort.postMessage(heap.workerId);
          ${code}
        });`,
        { eval: true, workerData: { handle: heap.handle, ptr: channel.ptr } },
      );
    const recover = (id: number): void => {
      while (!heap.recover(id).complete);
    };
    for (let round = 0; round < 6; round++) {
      const sender = start(`for (let n = 0; ; n++) {
        const ptr = heap.malloc(64 + n % 500);
        if (ptr === 0) throw new Error('no room');
        heap.view(ptr, Int32Array)[0] = ptr;
        while (!channel.send(ptr, 64));
      }`);
      const receiver = start(`for (;;) {
        if (!channel.wait(1000)) continue;
        for (let got = channel.receive(); got !== null; got = channel.receive()) {
          if (got.length !== 64 || heap.view(got.ptr, Int32Array)[0] !== got.ptr) throw new Error('not what was sent');
          heap.free(got.ptr);
        }
      }`);
      const [[first], [second]] = await Promise.all([once(sender, 'message'), once(receiver, 'message')]);
      await new Promise((done) => setTimeout(done, 30 + 13 * round));
      const [dead, other] = round % 2 === 0 ? [sender, receiver] : [receiver, sender];
      const [deadId, otherId] = round % 2 === 0 ? [first, second] : [second, first];
      await dead.terminate();
      recover(deadId);
      await other.terminate();
      recover(otherId);
      expect(channel.takeBack()).toEqual([]);
      expect(heap.stats()).toMatchObject({ liveBlocks: 1, workers: 1 });
      expect(heap.check()).toEqual([]);
    }
  });
});
