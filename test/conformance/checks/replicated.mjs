// An arena for many clients, over a log in memory.

import { MemoryLog, ReplicatedArena } from '../../../dist/replicated.js';
import { equal, hash, rejects } from '../verdict.mjs';

export const replicated = {
  async 'gives two clients of one log the same blocks'(note) {
    let now = 1000;
    const log = new MemoryLog(() => now);
    const open = () => ReplicatedArena.open(log, 'pool', { capacity: 256 });
    const [first, second] = [await open(), await open()];
    const blocks = [];
    for (let i = 0; i < 60; i++) {
      const block = await (i % 2 ? first : second).alloc(1 + (i % 7), { ttl: 10 * i + 1 });
      if (block !== null) blocks.push(block);
    }
    now += 200;
    const reaped = await first.reap();
    await second.sync();
    equal(first.list(), second.list(), 'the blocks');
    equal(await second.check(), [], 'the violations');
    const { token } = second.list()[0];
    await rejects(first.free({ offset: 255, token }), 'NOT_HOLDER', 'a free by another token');
    note(hash([reaped, ...blocks.map(({ offset }) => offset), ...first.list().map(({ offset }) => offset)]));
  },
};
