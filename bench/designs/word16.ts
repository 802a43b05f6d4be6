// The shipped design with narrower words: 16 children in one int32, `used` in its low half and `cont` in its high half.
//
// Tree, run index, bounds and steps are those of src/, where they are explained (word.ts, run-index.ts, tree.ts); only
// what the width changes is explained here. An arena has a quarter more levels, a word takes one load and one store
// instead of two, and an index group has four orders instead of five. Arenas are powers of two.

import type { Design } from './design.ts';

/** log2 of the children of a word, and so the orders that a level covers. */
const FAN_BITS = 4;
const MAX_RUN = 3;
const CHILDREN = 0xffff;
const MAX_LEVELS = 8;
const TIERS = 6;
const NOWHERE = 0x7fffffff;

// Positions in the state; see src/core/layout.ts.
const AT_LEVELS = 0;
const AT_FREE = 1;
const AT_ABOVE = 8;
const AT_COUNT = 16;
const AT_WORDS = 24;
const AT_HINT = 32;
const AT_INDEX = 64;
/** A word all of whose children are used: what a level that does not exist shows. */
const AT_FULL = AT_INDEX + MAX_LEVELS * TIERS;
const HEADER = 128;

/** Children at which a block of 2^r children may start, by r. */
const ALIGNED = Int32Array.of(0xffff, 0x5555, 0x1111, 0x0101);

const groups = (bits: number): number => (bits + 31) >>> 5;
const lowestBit = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** Mask of 2^r ones, 0 <= r <= 3. */
const ones = (r: number): number => (2 << ((1 << r) - 1)) - 1;

/** The free children of a word, with bits above the 16 that mean nothing: `fitting` does not look at them. */
const freeChildren = (word: number): number => ~(word | (word >>> 16));

const fitting = (free: number, r: number): number => {
  const steps = (1 << r) - 1;
  let f = free & (free >>> (steps & 1));
  f &= f >>> (steps & 2);
  f &= f >>> (steps & 4);
  return f & ALIGNED[r];
};

const longestRun = (word: number): number => {
  const free = freeChildren(word) & CHILDREN;
  const f1 = free & (free >>> 1) & 0x5555;
  const f2 = f1 & (f1 >>> 2) & 0x1111;
  const f3 = f2 & (f2 >>> 4) & 0x0101;
  return f1 === 0 ? (free === 0 ? -1 : 0) : f2 === 0 ? 1 : f3 === 0 ? 2 : 3;
};

/** The bits of a word for 2^r live children from `child` on: one block. */
const blockBits = (r: number, child: number): number => (ones(r) | ((ones(r) ^ 1) << 16)) << child;

/** Children of the live block that starts at `child`; 0 when none does. */
const runAt = (word: number, child: number): number =>
  ((word >>> child) & 0x10001) === 1 ? 1 + lowestBit(~((word & (word >>> 16)) >>> (child + 1))) : 0;

const withoutRun = (word: number, child: number, run: number): number => {
  const children = ((2 << (run - 1)) - 1) << child;
  return word & ~(children | (children << 16));
};

const lower = (s: Int32Array, level: number, word: number, run: number): void => {
  const bit = 1 << word;
  let at = s[AT_INDEX + level * TIERS] + (word >>> 5) * FAN_BITS + run + 1;
  for (let r = run + 1; r <= MAX_RUN; r++, at++) {
    const group = s[at];
    if ((group & bit) === 0) return;
    s[at] = group & ~bit;
    if (group === bit) lowerTiers(s, level, word >>> 5, r);
  }
};

const lowerTiers = (s: Int32Array, level: number, group: number, r: number): void => {
  let bits = groups(s[AT_COUNT + level]);
  for (let tier = AT_INDEX + level * TIERS + 1; bits > 1; tier++) {
    const at = s[tier] + (group >>> 5) * FAN_BITS + r;
    const after = s[at] & ~(1 << group);
    s[at] = after;
    if (after !== 0) return;
    group >>>= 5;
    bits = groups(bits);
  }
};

const settle = (s: Int32Array, level: number, at: number): void => {
  if (at === s[AT_COUNT + level]) return;
  const word = s[s[AT_WORDS + level] + at];
  if (word !== 0) lower(s, level, at, longestRun(word));
};

const raise = (s: Int32Array, level: number, word: number, run: number): void => {
  const bit = 1 << word;
  const hint = AT_HINT + level * FAN_BITS;
  let at = s[AT_INDEX + level * TIERS] + (word >>> 5) * FAN_BITS + run;
  let settled = -1;
  for (let r = run; r >= 0; r--, at--) {
    const group = s[at];
    if ((group & bit) !== 0) return;
    s[at] = group | bit;
    if (group === 0) raiseTiers(s, level, word >>> 5, r);
    const left = s[hint + r];
    if (word < left) {
      s[hint + r] = word;
      if (left !== settled) settle(s, level, left);
      settled = left;
    }
  }
};

const raiseTiers = (s: Int32Array, level: number, group: number, r: number): void => {
  let bits = groups(s[AT_COUNT + level]);
  for (let tier = AT_INDEX + level * TIERS + 1; bits > 1; tier++) {
    const at = s[tier] + (group >>> 5) * FAN_BITS + r;
    const before = s[at];
    s[at] = before | (1 << group);
    if (before !== 0) return;
    group >>>= 5;
    bits = groups(bits);
  }
};

const isRaised = (s: Int32Array, level: number, word: number, run: number): boolean =>
  ((s[s[AT_INDEX + level * TIERS] + (word >>> 5) * FAN_BITS + run] >>> word) & 1) !== 0;

const nextWord = (s: Int32Array, level: number, r: number, from: number): number => {
  const tiers = AT_INDEX + level * TIERS;
  const count = s[AT_COUNT + level];
  let bits = count;
  let i = from;
  for (let tier = 0; i < bits; tier++) {
    const group = s[s[tiers + tier] + (i >>> 5) * FAN_BITS + r] & (-1 << i);
    if (group !== 0) {
      i = (i & ~31) | lowestBit(group);
      while (tier > 0) {
        tier--;
        i = (i << 5) | lowestBit(s[s[tiers + tier] + i * FAN_BITS + r]);
      }
      return i;
    }
    i = (i >>> 5) + 1;
    bits = groups(bits);
  }
  return count;
};

const seek = (s: Int32Array, level: number, r: number): number => {
  const hint = AT_HINT + level * FAN_BITS + r;
  let at = s[hint];
  for (;;) {
    at = nextWord(s, level, r, at);
    s[hint] = at;
    if (at === s[AT_COUNT + level]) return NOWHERE;
    const word = s[s[AT_WORDS + level] + at];
    const fits = fitting(freeChildren(word), r);
    if (fits !== 0) return ((at << FAN_BITS) | lowestBit(fits)) << (FAN_BITS * level);
    lower(s, level, at, longestRun(word));
  }
};

const place = (s: Int32Array, offset: number, level: number, r: number): void => {
  let x = offset >>> (FAN_BITS * level);
  let at = s[AT_WORDS + level] + (x >>> FAN_BITS);
  let word = s[at];
  s[at] = word | blockBits(r, x & 15);
  s[AT_FREE] -= 1 << (FAN_BITS * level + r);
  while (word === 0) {
    raise(s, level, x >>> FAN_BITS, MAX_RUN);
    level++;
    x >>>= FAN_BITS;
    at = s[AT_WORDS + level] + (x >>> FAN_BITS);
    word = s[at];
    s[at] = word | (0x10000 << (x & 15));
  }
};

const close = (s: Int32Array, level: number, child: number): void => {
  for (;;) {
    lower(s, level, child, -1);
    level++;
    const at = s[AT_WORDS + level] + (child >>> FAN_BITS);
    const word = s[at] & ~(0x10000 << (child & 15));
    s[at] = word;
    if (word !== 0) {
      expose(s, level, child << (FAN_BITS * level));
      raise(s, level, child >>> FAN_BITS, longestRun(word));
      return;
    }
    child >>>= FAN_BITS;
  }
};

const expose = (s: Int32Array, level: number, offset: number): void => {
  for (let below = AT_ABOVE + level - 1; below >= AT_ABOVE; below--) {
    if (offset < s[below]) s[below] = offset;
  }
};

const search = (s: Int32Array, level: number, r: number): number => {
  const local = seek(s, level, r);
  let lowest = local;
  let l = level;
  for (; s[AT_ABOVE + l] < lowest; l++) {
    const child = seek(s, l + 1, 0);
    s[AT_ABOVE + l] = child;
    if (child < lowest) lowest = child;
  }
  while (--l >= level) {
    if (s[AT_ABOVE + l + 1] < s[AT_ABOVE + l]) s[AT_ABOVE + l] = s[AT_ABOVE + l + 1];
  }
  if (lowest < local) {
    for (l = level; s[AT_ABOVE + l] === lowest; l++) {
      s[AT_ABOVE + l] = (lowest | ((1 << (FAN_BITS * (l + 1))) - 1)) + 1;
    }
  }
  return lowest;
};

/** An empty state of 2^order units, order 0 … 30. */
function create(order: number): Int32Array<ArrayBuffer> {
  const levels = Math.floor(order / FAN_BITS) + 1;
  const header = new Int32Array(HEADER);
  let length = HEADER;
  header[AT_LEVELS] = levels;
  header[AT_FREE] = 2 ** order;
  header[AT_FULL] = CHILDREN;
  for (let level = 0; level < MAX_LEVELS; level++) {
    if (level < levels) {
      const count = 2 ** Math.max(0, order - FAN_BITS * (level + 1));
      header[AT_COUNT + level] = count;
      header[AT_WORDS + level] = length;
      header.fill(count, AT_HINT + level * FAN_BITS, AT_HINT + (level + 1) * FAN_BITS);
      length += count + 1;
    } else {
      header[AT_WORDS + level] = AT_FULL;
    }
  }
  for (let level = 0; level < levels; level++) {
    let bits = header[AT_COUNT + level];
    let tier = AT_INDEX + level * TIERS;
    do {
      bits = groups(bits);
      header[tier++] = length;
      length += bits * FAN_BITS;
    } while (bits > 1);
  }
  const s = new Int32Array(length);
  s.set(header);
  for (let level = 0; level < levels; level++) s[s[AT_WORDS + level] + s[AT_COUNT + level]] = CHILDREN;
  const top = levels - 1;
  const word = (CHILDREN << (1 << (order - FAN_BITS * top))) & CHILDREN;
  s[s[AT_WORDS + top]] = word;
  raise(s, top, 0, longestRun(word));
  s[AT_ABOVE + top] = NOWHERE;
  return s;
}

class Word16Allocator {
  readonly #s: Int32Array<ArrayBuffer>;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#s = create(Math.log2(capacity));
  }

  get state(): ArrayBuffer {
    return this.#s.buffer;
  }

  alloc(size: number): number {
    if ((size | 0) !== size || size <= 0) throw new RangeError(`not a size: ${size}`);
    const s = this.#s;
    const order = 32 - Math.clz32(size - 1);
    if (order >= FAN_BITS) return this.#allocHigher(order);
    const at = s[AT_HINT + order];
    const word = s[HEADER + at];
    if (word !== 0) {
      // No child of level 0 is subdivided: `used` tells all.
      const fits = fitting(~word, order);
      if (fits !== 0) {
        const child = lowestBit(fits);
        const offset = (at << FAN_BITS) | child;
        if (offset < s[AT_ABOVE]) {
          s[HEADER + at] = word | blockBits(order, child);
          s[AT_FREE] -= 1 << order;
          return offset;
        }
      }
    }
    return this.#allocSearching(0, order);
  }

  #allocHigher(order: number): number {
    const s = this.#s;
    const level = order >>> 2;
    const r = order & 3;
    const hint = s[AT_HINT + order];
    const at = s[AT_WORDS + level] + hint;
    const word = s[at];
    if (word !== 0) {
      const fits = fitting(freeChildren(word), r);
      if (fits !== 0) {
        const child = lowestBit(fits);
        const offset = ((hint << FAN_BITS) | child) << (FAN_BITS * level);
        if (offset < s[AT_ABOVE + level]) {
          s[at] = word | blockBits(r, child);
          s[AT_FREE] -= 1 << order;
          return offset;
        }
      }
    }
    return this.#allocSearching(level, r);
  }

  #allocSearching(level: number, r: number): number {
    const s = this.#s;
    if (level >= s[AT_LEVELS]) return -1;
    const offset = search(s, level, r);
    if (offset === NOWHERE) return -1;
    place(s, offset, level, r);
    return offset;
  }

  free(offset: number): number {
    if ((offset | 0) !== offset || offset < 0 || !(offset < this.#capacity)) throw misuse(offset);
    const s = this.#s;
    const at = offset >>> FAN_BITS;
    const word = s[HEADER + at];
    if (word === 0) return this.#freeHigher(offset);
    const child = offset & 15;
    const size = runAt(word, child);
    if (size === 0) throw misuse(offset);
    const rest = withoutRun(word, child, size);
    s[HEADER + at] = rest;
    s[AT_FREE] += size;
    if (rest === 0) close(s, 0, at);
    else {
      const longest = longestRun(rest);
      if (!isRaised(s, 0, at, longest)) raise(s, 0, at, longest);
    }
    return size;
  }

  #freeHigher(offset: number): number {
    const s = this.#s;
    let level = 0;
    let child = offset;
    let at = 0;
    let word = 0;
    do {
      if ((child & 15) !== 0) throw misuse(offset);
      child >>>= FAN_BITS;
      level++;
      at = s[AT_WORDS + level] + (child >>> FAN_BITS);
      word = s[at];
    } while (word === 0);
    const run = runAt(word, child & 15);
    if (run === 0) throw misuse(offset);
    const rest = withoutRun(word, child & 15, run);
    s[at] = rest;
    const size = run << (FAN_BITS * level);
    s[AT_FREE] += size;
    if (rest === 0) close(s, level, child >>> FAN_BITS);
    else {
      expose(s, level, offset);
      raise(s, level, child >>> FAN_BITS, longestRun(rest));
    }
    return size;
  }
}

const misuse = (offset: number): Error => new Error(`no live block starts at ${offset}`);

export const word16: Design = {
  name: 'word tree of 16',
  sizesIn: 'units',
  placesAsReference: true,
  isPeer: false,
  summary: '16 children in one int32, otherwise as shipped',
  create: ({ capacity }) => {
    const allocator = new Word16Allocator(capacity);
    return { allocator, untouched: allocator.state };
  },
  metadataBytes: (capacity) => new Word16Allocator(capacity).state.byteLength,
};
