// Verifies a state from first principles: nothing in it is trusted but its length.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import {
  blockLength,
  FANOUT_BITS,
  groupsOf,
  longestRunOrder,
  lowestBit,
  MAX_RUN_ORDER,
} from '../../base/word.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_COUNT,
  AT_FREE,
  AT_LEVELS,
  AT_MAXIMUM,
  FULL,
  groupAt,
  HEADER,
  hintAt,
  laidOutFor,
  layoutOf,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  pairAt,
} from '../layout.ts';
import { borderOf, tailOf, writeHeader } from './empty.ts';

/** Most violations that `check` puts into words. */
const LISTED = 100;

/** Counts violations, and puts the first ones into words: a state full of faults costs no string per fault. */
class Audit {
  readonly texts: string[] = [];
  count = 0;
  /** Units that the words show as free. */
  free = 0;
  readonly #listed: number;

  constructor(listed: number) {
    this.#listed = listed;
  }

  /** Notes one: `text` and where it is. Each % stands for the next number. */
  note(where: string, text: string, a: number, b = 0, c = 0): void {
    if (this.count++ >= this.#listed) return;
    const numbers = [a, b, c];
    this.texts.push(`${where}: ${text}`.replace(/%/g, () => `${numbers.shift()}`));
  }
}

/**
 * The violated invariants of a state, in words: the first 100, and how many more there are. Empty if it is sound.
 * Stops after the header if that is wrong, since the rest is found through it. O(capacity).
 */
export function check(state: Int32Array): string[] {
  const { texts, count } = audit(state, LISTED);
  if (count > LISTED) texts.push(`and ${count - LISTED} more`);
  return texts;
}

/** The first violated invariant of a state, in words; undefined if it is sound. O(capacity) time, O(1) memory. */
export function firstViolation(state: Int32Array): string | undefined {
  return audit(state, 1).texts[0];
}

function audit(state: Int32Array, listed: number): Audit {
  const wrong = new Audit(listed);
  checkHeader(state, wrong);
  if (wrong.count > 0) return wrong;
  // From the top, so that a word's parent is known to be sound in form before the word is looked at.
  for (let level = state[AT_LEVELS] - 1; level >= 0; level--) {
    const lowest = checkLevel(state, level, wrong);
    for (let below = 0; below < level; below++) {
      const bound = state[AT_ABOVE + below];
      if (bound > lowest) wrong.note('level %', 'bound % is above the free child at %', below, bound, lowest);
    }
  }
  const { free } = wrong;
  if (free !== state[AT_FREE]) wrong.note('header', '% units free, the words hold %', state[AT_FREE], free);
  return wrong;
}

/** Length of a state whose header begins as `header` does; -1 if none has that capacity and maximum. */
export function lengthFor(header: Int32Array): number {
  const capacity = header[AT_CAPACITY];
  const units = laidOutFor(header);
  return capacity < 1 || capacity > units || units > MAX_CAPACITY ? -1 : layoutOf(units).length;
}

function checkHeader(state: Int32Array, wrong: Audit): void {
  const capacity = state[AT_CAPACITY];
  if (lengthFor(state) !== state.length) {
    wrong.note('header', 'capacity % does not fit % int32', capacity, state.length);
    return;
  }
  const expected = new Int32Array(HEADER);
  writeHeader(expected, capacity, state[AT_MAXIMUM]);
  expected[AT_FREE] = state[AT_FREE];
  const levels = expected[AT_LEVELS];
  for (let level = 0; level < levels; level++) {
    // Bounds and hints may be anything that a search can have left; what they claim is checked level by level.
    expected[AT_ABOVE + level] = level === levels - 1 ? NO_ADDRESS : Math.max(0, state[AT_ABOVE + level]);
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      const pos = hintAt(level, r);
      expected[pos] = Math.min(Math.max(state[pos], 0), expected[AT_COUNT + level]);
    }
  }
  for (let pos = 0; pos < HEADER; pos++) {
    if (state[pos] !== expected[pos])
      wrong.note('header[%]', 'is %, must be %', pos, state[pos], expected[pos]);
  }
}

/** Checks words and index of a level. Returns the address of its lowest free child. */
function checkLevel(state: Int32Array, level: number, wrong: Audit): number {
  const count = state[AT_COUNT + level];
  const span = 2 ** (FANOUT_BITS * level);
  const tail = tailOf(state[AT_CAPACITY], level);
  const border = borderOf(state[AT_CAPACITY], level);
  let lowest = NO_ADDRESS;
  for (let word = 0; word < count; word++) {
    const pos = pairAt(state, level, word);
    const used = state[pos];
    const cont = state[pos + 1];
    const open = isOpen(state, level, word);
    const mask = open ? ~(used | cont) : 0;
    if (mask !== 0) lowest = Math.min(lowest, (word * 32 + lowestBit(mask)) * span);
    for (let rest = mask; rest !== 0; rest &= rest - 1) wrong.free += span;
    let fault = faultOfBits(state, level, word, longestRunOrder(mask));
    const outside = word === border ? tail.used | tail.cont : 0;
    if ((((used ^ tail.used) | (cont ^ tail.cont)) & outside) !== 0) fault = 'the tail is not marked';
    if (!isWellFormed(used, cont)) fault = 'a block is malformed';
    if (level === 0 && (cont & ~used) !== 0) fault = 'a unit is subdivided';
    if (open && mask === -1) fault = 'is free but not coalesced';
    if (!open && (used | cont) !== 0) fault = 'is closed but not zero';
    if (fault !== '') wrong.note('level % word %', fault, level, word);
  }
  const sentinel = pairAt(state, level, count);
  if (state[sentinel] !== FULL || state[sentinel + 1] !== 0) {
    wrong.note('level %', 'the sentinel is gone', level);
  }
  checkTiers(state, level, wrong);
  return lowest;
}

function isOpen(state: Int32Array, level: number, word: number): boolean {
  if (level === state[AT_LEVELS] - 1) return true;
  const pos = pairAt(state, level + 1, word >>> FANOUT_BITS);
  return (((~state[pos] & state[pos + 1]) >>> word) & 1) !== 0;
}

/** Whether every block in the word is an aligned power of two, at most half the word, and has a first child. */
function isWellFormed(used: number, cont: number): boolean {
  for (let c = 0; c < 32; ) {
    if (((used >>> c) & 1) === 0) {
      c++;
      continue;
    }
    if (((cont >>> c) & 1) !== 0) return false;
    const run = blockLength(used, cont, c);
    if ((run & (run - 1)) !== 0 || run > 16 || (c & (run - 1)) !== 0) return false;
    c += run;
  }
  return true;
}

/** What is wrong with a word's bits in the lowest tier; empty if nothing is. `longest` is the order of its longest free run, or -1. */
function faultOfBits(state: Int32Array, level: number, word: number, longest: number): string {
  const lowest = groupAt(state, level, 0, word >>> 5, 0);
  let top = -1;
  let isHint = false;
  for (let r = 0; r <= MAX_RUN_ORDER; r++) {
    const hint = state[hintAt(level, r)];
    isHint ||= word === hint;
    if (((state[lowest + r] >>> word) & 1) === 0) {
      if (r <= longest) return 'a free run is not in the index';
      continue;
    }
    if (top !== r - 1) return 'its index bits are not nested';
    if (word < hint) return 'lies before a hint';
    top = r;
  }
  return top > longest && !isHint ? 'has stale bits but is not a hint' : '';
}

/** Checks that each tier sums up the one below, and that no bit stands for a word or group that does not exist. */
function checkTiers(state: Int32Array, level: number, wrong: Audit): void {
  let bits = state[AT_COUNT + level];
  for (let tier = 0; ; tier++) {
    const length = groupsOf(bits);
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      const last = state[groupAt(state, level, tier, length - 1, r)];
      if ((bits & 31) !== 0 && last >>> (bits & 31) !== 0) {
        wrong.note('level % order % tier %', 'bits past the end', level, r, tier);
      }
    }
    if (length === 1) return;
    for (let group = 0; group < length; group++) {
      for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
        const any = state[groupAt(state, level, tier, group, r)] !== 0;
        const summed = ((state[groupAt(state, level, tier + 1, group >>> 5, r)] >>> group) & 1) !== 0;
        if (any !== summed) wrong.note('level % order % tier %', 'bits do not sum up', level, r, tier);
      }
    }
    bits = length;
  }
}
