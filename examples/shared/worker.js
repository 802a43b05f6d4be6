// A worker: attaches to the arena, tells its number, and allocates and frees until it is told to stop, or is terminated.

// With a bundler: 'buddy-allocator/shared'.
import { SharedBuddyAllocator } from '/dist/shared.js';
import { Tenant } from './tenant.js';

/** Operations between two rests of a millisecond: so that a laptop stays cool, not because anything would need them. */
const STRETCH = 300;

self.onmessage = ({ data: { buffer, data, figures, stop, mark, share, lock } }) => {
  const arena = SharedBuddyAllocator.attach(buffer);
  const tenant = new Tenant({ arena, data, mark, figures, share });
  // Held as long as this worker lives, and released by the browser when it has died, which the page waits for.
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
