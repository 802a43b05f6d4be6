// The core: placement, errors, ranges, and a state that can be saved, posted and lost.

import { BuddyAllocator, BuddyError } from '../../../dist/index.js';
import { features, named } from '../features.mjs';
import { runSequence, SEQUENCE_CAPACITY } from '../sequence.mjs';
import { detach, equal, hash, holds, needs, throws } from '../verdict.mjs';

/** Hash of the offsets of the sequence, as the classic tree of bytes gives them. */
export const SEQUENCE_HASH = 1871208391;

/** Calls after which every runtime has compiled what it runs. */
const WARM_UP = 30_000;

/** Calls everything often. A free of what is not allocated makes even the way to the error compiled code. */
function warmUp(arena) {
  for (let i = 0; i < WARM_UP; i++) {
    const offset = arena.alloc(1 + (i & 7));
    arena.sizeOf(offset);
    arena.isAllocated(offset);
    arena.blockOf(offset);
    arena.free(offset);
    try {
      arena.free(offset);
    } catch {
      // as it should
    }
  }
}

const words = (arena) => new Int32Array(arena.state.slice(0));
const shape = (arena) => [...arena.blocks()].map(({ offset, size, free }) => [offset, size, free]);

export const allocator = {
  'places the sequence as the classic tree does'(note) {
    const arena = new BuddyAllocator({ capacity: SEQUENCE_CAPACITY });
    const offsets = runSequence(arena);
    holds(offsets.includes(-1), 'the sequence never filled the arena');
    equal(hash(offsets), SEQUENCE_HASH, 'the hash of all offsets');
    equal(arena.check(), [], 'check()');
    note(hash(words(arena)));
  },

  'arenas of 1, 48 and 2^30 units'() {
    equal(new BuddyAllocator({ capacity: 1 }).alloc(1), 0, 'alloc(1) in an arena of 1');
    const odd = new BuddyAllocator({ capacity: 48 });
    equal([odd.alloc(32), odd.alloc(32), odd.alloc(16)], [0, -1, 32], 'offsets in an arena of 48');
    let huge;
    try {
      huge = new BuddyAllocator({ capacity: 2 ** 30 });
    } catch (error) {
      needs(!(error instanceof RangeError), 'room for 300 MB of state');
      throw error;
    }
    equal(huge.alloc(3 * 2 ** 28), 0, 'alloc(3 * 2^28), which takes all');
    equal(huge.free(0), 2 ** 30, 'units given back');
    equal([huge.alloc(2 ** 29), huge.alloc(1)], [0, 2 ** 29], 'offsets in an arena of 2^30');
  },

  'errors have their class and code, and change nothing'() {
    const arena = new BuddyAllocator({ capacity: 1024 });
    arena.alloc(100);
    const before = words(arena);
    const error = throws(() => arena.free(1), 'INTERIOR', 'free inside a block');
    holds(error instanceof BuddyError && error instanceof Error, 'the error is a BuddyError');
    equal(error.name, 'BuddyError', 'its name');
    holds(error.message.length > 0 && String(error.stack).length > 0, 'it has a message and a stack');
    throws(() => arena.free(512), 'NOT_ALLOCATED', 'free of a free unit');
    throws(() => arena.release(64, 64), 'INTERIOR', 'release of half a block');
    for (const wrong of ['1', null, undefined, 1n, {}]) {
      throws(() => arena.alloc(wrong), TypeError, `alloc(${typeof wrong})`);
      throws(() => arena.free(wrong), TypeError, `free(${typeof wrong})`);
    }
    for (const wrong of [1.5, Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      throws(() => arena.alloc(wrong), RangeError, `alloc(${wrong})`);
      throws(() => arena.free(wrong), RangeError, `free(${wrong})`);
    }
    throws(() => arena.free(1024), RangeError, 'free behind the arena');
    throws(() => new BuddyAllocator({ capacity: 2 ** 30 + 1 }), RangeError, 'too large an arena');
    equal(arena.alloc(2 ** 40), -1, 'a request larger than any arena');
    equal(words(arena), before, 'the state');
  },

  'ranges, resizing, growing and shrinking'(note) {
    const arena = new BuddyAllocator({ capacity: 64 });
    equal([arena.reserve(0, 11), arena.reserve(10, 4), arena.alloc(4)], [true, false, 12], 'reserve');
    equal(arena.resize(12, 2), true, 'a smaller size');
    equal(arena.resize(12, 8), false, 'a size without room');
    arena.grow(100);
    equal(arena.shrink(8), false, 'shrink below a live block');
    arena.release(0, 11);
    equal(arena.shrink(16), true, 'shrink');
    equal(arena.grow(24), undefined, 'grow');
    equal(
      shape(arena),
      [
        [0, 8, true],
        [8, 4, true],
        [12, 2, false],
        [14, 2, true],
        [16, 8, true],
      ],
      'the blocks',
    );
    equal([arena.blockOf(13), arena.isAllocated(13), arena.sizeOf(12)], [12, false, 2], 'queries');
    equal([arena.freeUnits, arena.largestFree, arena.check()], [22, 8, []], 'figures');
    note(hash(words(arena)));
    arena.clear();
    equal(arena.freeUnits, 24, 'freeUnits after clear()');
  },

  'a state that was saved goes on as the original does'() {
    const arena = new BuddyAllocator({ capacity: 1000 });
    for (let i = 1; i < 20; i++) arena.alloc(i);
    arena.free(0);
    const restored = BuddyAllocator.attach(arena.state.slice(0));
    equal(shape(restored), shape(arena), 'the blocks');
    for (const size of [1, 5, 300, 2]) equal(restored.alloc(size), arena.alloc(size), `alloc(${size})`);
    equal(words(restored), words(arena), 'the states');
    equal(arena.state.byteLength, BuddyAllocator.bytesFor(1000), 'bytesFor()');
  },

  'a view of a state is as good as its buffer'() {
    const arena = new BuddyAllocator({ capacity: 100 });
    arena.alloc(7);
    const part = new Uint8Array(arena.state.byteLength + 3);
    part.set(new Uint8Array(arena.state), 1);
    const copied = BuddyAllocator.attach(part.subarray(1, -2));
    equal(words(copied), words(arena), 'of a part of its buffer');
    holds(BuddyAllocator.attach(new DataView(arena.state)).state === arena.state, 'of the whole buffer');
  },

  'a state that is foreign, cut off or damaged is refused'() {
    const state = new BuddyAllocator({ capacity: 100 }).state;
    throws(() => BuddyAllocator.attach(new ArrayBuffer(256)), 'FOREIGN', 'zeros');
    throws(() => BuddyAllocator.attach(state.slice(0, -4)), 'TRUNCATED', 'a word less');
    const damaged = new Uint8Array(state.slice(0));
    damaged[damaged.length - 1] ^= 0x80;
    throws(() => BuddyAllocator.attach(damaged.buffer), 'CORRUPT', 'a flipped bit');
    const other = new Int32Array(state.slice(0));
    other[1]++;
    throws(() => BuddyAllocator.attach(other.buffer), 'VERSION', 'another version');
  },

  'a state that was transferred away is noticed by every call'() {
    const arena = new BuddyAllocator({ capacity: 100 });
    const offset = arena.alloc(10);
    const left = arena.state;
    const moved = BuddyAllocator.attach(detach(left));
    equal(moved.sizeOf(offset), 16, 'the block where the state went');
    throws(() => BuddyAllocator.attach(left), 'DETACHED', 'attach() of what was left behind');
    const calls = {
      alloc: () => arena.alloc(1),
      free: () => arena.free(offset),
      freeAnother: () => arena.free(50),
      sizeOf: () => arena.sizeOf(offset),
      resize: () => arena.resize(offset, 1),
      isAllocated: () => arena.isAllocated(offset),
      blockOf: () => arena.blockOf(offset),
      reserve: () => arena.reserve(50, 1),
      release: () => arena.release(0, 16),
      stats: () => arena.stats(),
      blocks: () => [...arena.blocks()],
      clear: () => arena.clear(),
      grow: () => arena.grow(200),
      shrink: () => arena.shrink(50),
      check: () => arena.check(),
    };
    for (const [name, call] of Object.entries(calls)) throws(call, 'DETACHED', name);
  },

  'a state that was transferred away is noticed by compiled code, too'() {
    needs(features.resizable, named.resizable);
    const { state } = new BuddyAllocator({ capacity: 100 });
    const resizable = new ArrayBuffer(state.byteLength, { maxByteLength: 2 * state.byteLength });
    new Uint8Array(resizable).set(new Uint8Array(state));
    const arenas = [BuddyAllocator.attach(state), BuddyAllocator.attach(resizable)];
    // Code that has met both kinds of buffers, as V8 11 compiles it, takes a wrong length for that of a detached view.
    for (const arena of [...arenas, ...arenas]) warmUp(arena);
    for (const [i, arena] of arenas.entries()) {
      const kind = ['fixed', 'resizable'][i];
      const offset = arena.alloc(10);
      detach(arena.state);
      for (const call of [(at) => arena.alloc(at + 1), (at) => arena.free(at), (at) => arena.sizeOf(at)]) {
        throws(() => call(offset), 'DETACHED', `${call}, ${kind} buffer`);
      }
      throws(() => arena.blockOf(offset), 'DETACHED', `blockOf, ${kind} buffer`);
      throws(() => arena.check(), 'DETACHED', `check, ${kind} buffer`);
    }
  },
};
