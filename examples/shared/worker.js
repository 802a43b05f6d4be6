// A worker: attaches to the arena, posts its id, and allocates and frees until it is told to stop, or is terminated.

// With a bundler: 'buddy-allocator/shared'.
import { SharedBuddyAllocator } from '/dist/shared.js';
import { Tenant } from './tenant.js';

/** Operations between two rests of a millisecond, which keep a laptop cool. The allocator does not need them. */
const STRETCH = 300;

self.onmessage = ({ data: { buffer, data, figures, stop, mark, share, lock } }) => {
  const arena = SharedBuddyAllocator.attach(buffer);
  const tenant = new Tenant({ arena, data, mark, figures, share });
  // The worker holds the lock as long as it lives. The browser releases it when the worker has died; the page waits
  // for that.
  navigator.locks.request(lock, () => {
    self.postMessage({ workerId: arena.workerId });
    while (Atomics.load(stop, 0) === 0) {
      for (let i = 0; i < STRETCH; i++) tenant.step();
      Atomics.wait(stop, 0, 0, 1);
    }
    tenant.freeAll();
    arena.detach();
    self.postMessage({ done: true });
  });
};
