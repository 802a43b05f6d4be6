// Counts letters with three workers, some of which hang and are replaced. In the end nothing is left in the heap.
// `node examples/workers/main.mjs`; in a clone after `npm run build`.

import assert from 'node:assert/strict';
import { SharedHeap } from 'buddy-allocator/shared';
import { Member } from './pool.mjs';

const heap = SharedHeap.create({ size: 2 ** 18, maximum: 2 ** 26, trackOwners: true });
const encoder = new TextEncoder();
const jobs = Array.from({ length: 20 }, (_, i) => 'the quick brown fox '.repeat(1 + 50 * i));
const queue = [...jobs.keys()];
let letters = 0;
let answers = 0;

async function work(member) {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const text = heap.allocArray(Uint8Array, jobs[job].length);
    if (text === null) throw new Error('no room');
    text.set(encoder.encode(jobs[job]));
    const counts = await member.run(job, text, 500);
    if (counts === null) {
      const { blocks, bytes } = await member.replace();
      console.log(
        `job ${job} hangs: its worker is replaced, ${blocks} blocks of ${bytes} bytes are taken back`,
      );
    } else {
      letters += counts.reduce((sum, count) => sum + count, 0);
      answers++;
      heap.free(counts);
    }
  }
}

const members = await Promise.all([1, 2, 3].map(() => Member.start(heap)));
await Promise.all(members.map(work));
for (const member of members) await member.end();
console.log(`${answers} answers, ${letters} letters; ${heap.stats().liveBlocks} blocks are left`);
assert.deepEqual(heap.check(), []);
