// Verifies a state from first principles: nothing in it is trusted but its length.

import { MAX_CAPACITY } from '../base/arguments.ts';
import { FANOUT_BITS, longestRunOrder, MAX_RUN_ORDER } from '../base/word.ts';
import {
  AT_ABOVE,
  AT_CAPACITY,
  AT_COUNT,
  AT_FREE,
  AT_HINT,
  AT_INDEX,
  AT_LEVELS,
  AT_WORDS,
  groups,
  HEADER,
  layoutOf,
  NO_ADDRESS,
  ORDERS_PER_LEVEL,
  TIERS,
} from './layout.ts';
import { tailOf, writeHeader } from './state.ts';

/**
 * Every violated invariant of a state, in words; empty when it is sound.
 * Stops after the header when that is wrong, since the rest is found through it. O(capacity).
 */
export function check(s: Int32Array): string[] {
  const wrong = checkHeader(s);
  if (wrong.length > 0) return wrong;
  let free = 0;
  // From the top, so that a word's parent is known to be sound in form before the word is looked at.
  for (let level = s[AT_LEVELS] - 1; level >= 0; level--) {
    const lowest = checkLevel(s, level, wrong);
    free += lowest.free;
    for (let below = 0; below < level; below++) {
      if (s[AT_ABOVE + below] > lowest.freeAt) {
        wrong.push(
          `level ${below}: a free child above lies at ${lowest.freeAt}, below the bound ${s[AT_ABOVE + below]}`,
        );
      }
    }
  }
  if (free !== s[AT_FREE]) wrong.push(`header: ${s[AT_FREE]} units free, but the words hold ${free}`);
  return wrong;
}

function checkHeader(s: Int32Array): string[] {
  const capacity = s[AT_CAPACITY];
  if (capacity < 1 || capacity > MAX_CAPACITY || layoutOf(capacity).length !== s.length) {
    return [`header: capacity ${capacity} does not fit a state of ${s.length} words`];
  }
  const wrong: string[] = [];
  const expected = new Int32Array(HEADER);
  writeHeader(expected, capacity);
  expected[AT_FREE] = s[AT_FREE];
  const levels = expected[AT_LEVELS];
  for (let level = 0; level < levels; level++) {
    // Bounds may be anything a search can have left; what they claim is checked level by level.
    expected[AT_ABOVE + level] = level === levels - 1 ? NO_ADDRESS : s[AT_ABOVE + level];
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      const at = AT_HINT + level * ORDERS_PER_LEVEL + r;
      expected[at] = Math.min(Math.max(s[at], 0), expected[AT_COUNT + level]);
    }
  }
  for (let at = 0; at < HEADER; at++) {
    if (s[at] !== expected[at]) wrong.push(`header[${at}]: is ${s[at]}, must be ${expected[at]}`);
  }
  for (let level = 0; level < levels - 1; level++) {
    if (s[AT_ABOVE + level] < 0)
      wrong.push(`header[${AT_ABOVE + level}]: is ${s[AT_ABOVE + level]}, must not be negative`);
  }
  return wrong;
}

/** Checks words and index of a level; returns its free units and the address of its lowest free child. */
function checkLevel(s: Int32Array, level: number, wrong: string[]): { free: number; freeAt: number } {
  const words = s[AT_WORDS + level];
  const count = s[AT_COUNT + level];
  const span = 2 ** (FANOUT_BITS * level);
  const stale = new Set<number>();
  let free = 0;
  let freeAt = NO_ADDRESS;
  for (let word = 0; word < count; word++) {
    const used = s[words + 2 * word];
    const cont = s[words + 2 * word + 1];
    const where = `level ${level} word ${word}`;
    const open = isOpen(s, level, word);
    if (!open) {
      if ((used | cont) !== 0) wrong.push(`${where}: is closed but not zero`);
    } else {
      if ((used | cont) === 0) wrong.push(`${where}: is all free but not coalesced into its parent`);
      if (level === 0 && (cont & ~used) !== 0) wrong.push(`${where}: a unit is subdivided`);
      if (!wellFormed(used, cont)) wrong.push(`${where}: holds a block that is no aligned power of two`);
      if (word === count - 1) checkTail(s, level, used, cont, wrong);
      const mask = ~(used | cont);
      for (let c = 0; c < 32; c++) {
        if (((mask >>> c) & 1) === 0) continue;
        free += span;
        freeAt = Math.min(freeAt, (word * 32 + c) * span);
      }
    }
    const longest = open ? longestRunOrder(~(used | cont)) : -1;
    if (checkBits(s, level, word, longest, wrong)) stale.add(word);
  }
  if (s[words + 2 * count] !== -1 || s[words + 2 * count + 1] !== 0) {
    wrong.push(`level ${level}: the mark after the last word is gone`);
  }
  for (let r = 0; r < ORDERS_PER_LEVEL; r++) stale.delete(s[AT_HINT + level * ORDERS_PER_LEVEL + r]);
  for (const word of stale) wrong.push(`level ${level} word ${word}: has stale index bits but is no hint`);
  checkTiers(s, level, wrong);
  return { free, freeAt };
}

function isOpen(s: Int32Array, level: number, word: number): boolean {
  if (level === s[AT_LEVELS] - 1) return true;
  const at = s[AT_WORDS + level + 1] + ((word >>> 5) << 1);
  return (((~s[at] & s[at + 1]) >>> word) & 1) !== 0;
}

/** Whether every block in the word is an aligned power of two, at most half the word, and has a first child. */
function wellFormed(used: number, cont: number): boolean {
  for (let c = 0; c < 32; ) {
    if (((used >>> c) & 1) === 0) {
      c++;
      continue;
    }
    if (((cont >>> c) & 1) !== 0) return false;
    let run = 1;
    while (c + run < 32 && (((used & cont) >>> (c + run)) & 1) !== 0) run++;
    if ((run & (run - 1)) !== 0 || run > 16 || (c & (run - 1)) !== 0) return false;
    c += run;
  }
  return true;
}

function checkTail(s: Int32Array, level: number, used: number, cont: number, wrong: string[]): void {
  const tail = tailOf(s[AT_CAPACITY], level);
  if ((used & (tail.used | tail.cont)) !== tail.used || (cont & (tail.used | tail.cont)) !== tail.cont) {
    wrong.push(`level ${level}: the tail beyond the capacity is not marked`);
  }
}

/** Checks a word's bits in the lowest tier; returns whether it has stale ones. */
function checkBits(s: Int32Array, level: number, word: number, longest: number, wrong: string[]): boolean {
  const at = s[AT_INDEX + level * TIERS] + (word >>> 5) * ORDERS_PER_LEVEL;
  const where = `level ${level} word ${word}`;
  let top = -1;
  for (let r = 0; r <= MAX_RUN_ORDER; r++) {
    const set = ((s[at + r] >>> word) & 1) !== 0;
    if (!set && r <= longest) wrong.push(`${where}: its free run of order ${r} is not in the index`);
    if (!set) continue;
    if (top !== r - 1) wrong.push(`${where}: its index bits are not nested`);
    top = r;
    const hint = s[AT_HINT + level * ORDERS_PER_LEVEL + r];
    if (word < hint) wrong.push(`${where}: lies before the hint ${hint} of order ${r}`);
  }
  return top > longest;
}

/** Checks that each tier sums up the one below, and that no bit stands for what does not exist. */
function checkTiers(s: Int32Array, level: number, wrong: string[]): void {
  let bits = s[AT_COUNT + level];
  for (let tier = 0; ; tier++) {
    const base = s[AT_INDEX + level * TIERS + tier];
    const length = groups(bits);
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      const last = s[base + (length - 1) * ORDERS_PER_LEVEL + r];
      if ((bits & 31) !== 0 && last >>> (bits & 31) !== 0) {
        wrong.push(`level ${level} order ${r}: tier ${tier} of the index has bits past its end`);
      }
    }
    if (length === 1) return;
    const next = s[AT_INDEX + level * TIERS + tier + 1];
    for (let group = 0; group < length; group++) {
      for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
        const any = s[base + group * ORDERS_PER_LEVEL + r] !== 0;
        const summed = ((s[next + (group >>> 5) * ORDERS_PER_LEVEL + r] >>> group) & 1) !== 0;
        if (any !== summed) {
          wrong.push(
            `level ${level} order ${r}: tier ${tier + 1} of the index disagrees with group ${group} below it`,
          );
        }
      }
    }
    bits = length;
  }
}
