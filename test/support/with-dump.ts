// A failing property test shows the state in which it failed.

import type { BuddyAllocator } from '../../src/core/allocator.ts';
import { dump } from '../../src/core/state/dump.ts';

/** What `run` returns. If it throws, the error that comes out shows the state of `allocator` at that moment, too. */
export function withDump<T>(allocator: BuddyAllocator, run: () => T): T {
  const { state } = allocator;
  try {
    return run();
  } catch (error) {
    const message = error instanceof Error ? error.message : `${error}`;
    throw new Error(`${message}\n${dump(new Int32Array(state))}`, { cause: error });
  }
}
