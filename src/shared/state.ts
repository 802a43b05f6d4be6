// The state of an arena as a whole: written when the arena is empty, and its header read when a worker attaches.

import { MAX_CAPACITY } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { expectFormat } from '../base/format.ts';
import type { Cells } from './cells.ts';
import {
  AT_CAPACITY,
  AT_MAGIC,
  AT_SLOTS,
  AT_TRACKED,
  AT_VERSION,
  FANOUT_BITS,
  type Geometry,
  geometryOf,
  MAGIC,
  VERSION,
} from './layout.ts';
import { setRunBits } from './run-index.ts';
import { MAX_SLOTS } from './slots.ts';
import { CLOSED, EMPTY, subdivisionMask } from './word.ts';

/** The last word of `level` in an empty arena: closed if it ends at the capacity. Otherwise it never closes. */
export function tailOf(g: Geometry, level: number): number {
  const span = 2 ** (FANOUT_BITS * level);
  const inside = Math.floor(g.capacity / span) & 15;
  const cut = g.capacity % span !== 0;
  if (inside === 0 && !cut) return CLOSED;
  // Children beyond the capacity are always in use, each a block of its own. A child that the capacity cuts is
  // subdivided.
  const outside = (-1 << (cut ? inside + 1 : inside)) & 0xffff;
  return EMPTY ^ outside ^ (cut ? subdivisionMask(inside) : 0);
}

/** Writes the state of an empty arena into cells that are all zero. No other worker has seen them. O(log capacity). */
export function writeEmpty(cells: Cells, g: Geometry): void {
  for (let level = 0; level < g.levels; level++) {
    const value = tailOf(g, level);
    const last = g.count[level] - 1;
    if (value === CLOSED) continue;
    cells.store(g.words[level] + last, value);
    setRunBits(cells, g, level, last, value);
  }
  cells.store(AT_VERSION, VERSION);
  cells.store(AT_CAPACITY, g.capacity);
  cells.store(AT_SLOTS, g.slots);
  cells.store(AT_TRACKED, g.tracked ? 1 : 0);
  cells.store(AT_MAGIC, MAGIC);
}

/**
 * The geometry that the header of the state `s` gives. Other workers may be changing all but the header. Throws a
 * BuddyError `FOREIGN` or `VERSION` if `s` is not the state of a shared arena, and `CORRUPT` if the header gives
 * impossible numbers.
 */
export function geometryIn(s: Int32Array): Geometry {
  // The creator stores MAGIC last: an atomic load that sees it sees the rest of the header.
  if (s.length > 0) Atomics.load(s, AT_MAGIC);
  expectFormat('a shared arena', s, AT_TRACKED + 1, MAGIC, VERSION);
  return geometryFrom(s);
}

/**
 * {@link geometryIn} without the checks of format: for a state in a larger format of its own. Throws `CORRUPT` only.
 */
export function geometryFrom(s: Int32Array): Geometry {
  const capacity = s[AT_CAPACITY];
  const slots = s[AT_SLOTS];
  if (capacity < 1 || capacity > MAX_CAPACITY) {
    throw new BuddyError('CORRUPT', `the arena's header says a capacity of ${capacity}`);
  }
  if (slots < 1 || slots > MAX_SLOTS) {
    throw new BuddyError('CORRUPT', `the arena's header says that it has ${slots} slots`);
  }
  return geometryOf(capacity, slots, s[AT_TRACKED] === 1);
}
