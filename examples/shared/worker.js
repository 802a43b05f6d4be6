// A worker: attaches to the arena, reports its workerId, and allocates and frees until it is stopped or terminated.

// With a bundler: 'buddy-allocator/shared'.
import { SharedBuddyAllocator } from '/dist/shared.js';
import { Tenant } from './tenant.js';

/** Operations between two pauses of a millisecond. The pauses only keep a laptop cool. */
const STRETCH = 300;

self.onmessage = ({ data: { buffer, data, figures, stop, mark, share, lock } }) => {
  const arena = SharedBuddyAllocator.attach(buffer);
  const tenant = new Tenant({ arena, data, mark, figures, share });
  // The worker holds the lock as long as it lives. The browser releases it after its death, and the page waits for
  // that.
  navigator.locks.request(lock, () => {
    self.postMessage({ number: arena.workerId });
    while (Atomics.load(stop, 0) === 0) {
      for (let i = 0; i < STRETCH; i++) tenant.step();
      Atomics.wait(stop, 0, 0, 1);
    }
    tenant.freeAll();
    arena.detach();
    self.postMessage({ done: true });
  });
};
