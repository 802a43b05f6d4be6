// What the workers of the suite do. Plain functions of a message that return the answer.

import { SharedBuddyAllocator, SharedHeap } from '../../dist/shared.js';
import { Holdings, randomFrom, randomSize } from '../support/shared-blocks.mjs';

const OPERATIONS = 20_000;
const LARGEST_ORDER = 5;
/** In `cells`: how many workers are ready; then a mark a worker that it is inside of a call. */
const BARRIER = 0;
const INSIDE = 1;

const tasks = {
  /** Allocates, frees and exchanges blocks by way of mailboxes. Every unit is tagged, and verified when it is freed. */
  churn({ buffer, data, cells, mail, writer, workers }) {
    const arena = SharedBuddyAllocator.attach(buffer);
    const holdings = new Holdings({ arena, data, writer, cells, inside: INSIDE + writer, clean: true });
    const below = randomFrom(writer);
    const tally = { allocations: 0, frees: 0 };
    const free = (block) => {
      holdings.free(block);
      tally.frees++;
    };
    Atomics.add(cells, BARRIER, 1);
    Atomics.notify(cells, BARRIER);
    for (let here = 0; here < workers; here = Atomics.load(cells, BARRIER)) {
      Atomics.wait(cells, BARRIER, here, 100);
    }
    for (let i = 0; i < OPERATIONS; i++) {
      const { blocks } = holdings;
      if (blocks.length > 0 && below(8) === 0) {
        const given = holdings.drop(below(blocks.length));
        holdings.verify(given);
        const got = Atomics.exchange(mail, below(mail.length), given.offset + 1);
        if (got !== 0) free(holdings.received(got - 1));
      } else if (below(2) === 0 || blocks.length === 0) {
        if (holdings.allocate(randomSize(below, LARGEST_ORDER))) tally.allocations++;
        else if (blocks.length > 0) free(holdings.drop(0));
      } else {
        free(holdings.drop(below(blocks.length)));
      }
    }
    holdings.freeAll();
    arena.detach();
    return tally;
  },

  /** Sums up and frees the ten numbers at `given`, and leaves three in a new block of at least `bytes` bytes. */
  exchange({ handle, given, bytes = 12 }) {
    const heap = SharedHeap.attach(handle);
    const sum = heap.view(given, Uint32Array, 10).reduce((a, b) => a + b, 0);
    heap.free(given);
    const made = heap.malloc(bytes);
    heap.view(made, Uint32Array, 3).set([1, 2, 3]);
    heap.detach();
    return { sum, made };
  },
};

/** The answer to a message; an error as text, since not all runtimes can post one. */
export function answerTo({ task, parameters }) {
  try {
    return tasks[task](parameters);
  } catch (error) {
    return { error: `${error}\n${error.stack}` };
  }
}
