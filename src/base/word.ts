// The algebra of one word: a whole five-level buddy subtree over 32 children, two bits per child.
//
//   used cont   the child is
//    0    0     wholly free
//    0    1     subdivided: a word one level down says how (never at the lowest level)
//    1    0     the first child of a live block
//    1    1     a further child of that block
//
// Everything here is a pure function of bit masks. A mask of fewer than 32 children, upper bits zero, works alike.
//
// JavaScript takes shift counts modulo 32. The code relies on it throughout: `mask >>> offset` shifts by the child of
// `offset` in its word, and `1 << word` is the bit of `word` in its group.
//
// Functions of the hot paths are constants, here and in the modules above this one: V8 inlines a call of a constant as it
// is, but checks at each call that a declared function has not been replaced (4 % of the whole).

/** log2 of the children of a word. */
export const FANOUT_BITS = 5;

/** Highest order, relative to its level, of a block inside one word: half the word. A whole word is a child above. */
export const MAX_RUN_ORDER = 4;

/** Children at which a block of 2^r children may start, by r. */
const ALIGNED = Int32Array.of(-1, 0x55555555, 0x11111111, 0x01010101, 0x00010001);

/** Order of the smallest block that holds `size` units, 1 … 2^31. */
export const orderOf = (size: number): number => {
  return 32 - Math.clz32(size - 1);
};

/** The level to which blocks of `order`, 0 … 34, belong: order / 5. */
export const levelOfOrder = (order: number): number => {
  return (order * 13) >>> 6;
};

/** Position of the lowest set bit of `mask`; -1 if it is zero. */
export const lowestBit = (mask: number): number => {
  return 31 - Math.clz32(mask & -mask);
};

/** Mask of `n` children, 1 … 32, from child `c` modulo 32 on. */
export const maskOf = (n: number, c: number): number => {
  return ((2 << (n - 1)) - 1) << c;
};

/** Mask of a run of 2^r children at child 0, 0 <= r <= 4. */
export const runMask = (r: number): number => {
  return (2 << ((1 << r) - 1)) - 1;
};

/**
 * The children at which an aligned run of 2^r free children starts.
 * Folding without a branch: each step doubles the run that a bit vouches for, or shifts by zero once r is reached.
 */
export const runStarts = (free: number, r: number): number => {
  const steps = (1 << r) - 1;
  let f = free & (free >>> (steps & 1));
  f &= f >>> (steps & 2);
  f &= f >>> (steps & 4);
  f &= f >>> (steps & 8);
  return f & ALIGNED[r];
};

/**
 * The children at which a run of `n` free children starts, 1 <= n <= 32, aligned or not. Folding as `runStarts`: what the bits
 * vouch for grows to n / 16, n / 8, n / 4, n / 2 and n, all rounded up.
 */
export const anyRunStarts = (free: number, n: number): number => {
  let f = free & (free >>> ((n + 15) >>> 5));
  f &= f >>> ((n + 7) >>> 4);
  f &= f >>> ((n + 3) >>> 3);
  f &= f >>> ((n + 1) >>> 2);
  return f & (f >>> (n >>> 1));
};

/** Order of the first of the largest aligned blocks that tile the units from `offset` up to `end`. */
export const tileOrder = (offset: number, end: number): number => {
  const fits = 31 - Math.clz32(end - offset);
  return offset === 0 ? fits : Math.min(fits, lowestBit(offset));
};

/** The largest r for which `runStarts(free, r)` is not empty; -1 if no child is free. */
export const longestRunOrder = (free: number): number => {
  const f1 = free & (free >>> 1) & 0x55555555;
  const f2 = f1 & (f1 >>> 2) & 0x11111111;
  const f3 = f2 & (f2 >>> 4) & 0x01010101;
  const f4 = f3 & (f3 >>> 8) & 0x00010001;
  return f1 === 0 ? (free === 0 ? -1 : 0) : f2 === 0 ? 1 : f3 === 0 ? 2 : f4 === 0 ? 3 : 4;
};

/** Children of the live block that starts at child `c`. */
export const blockLength = (used: number, cont: number, c: number): number => {
  return 1 + lowestBit(~(((used & cont) >>> c) >>> 1));
};

/** The first child of the live block that holds the used child `c`, 0 … 31. */
export const blockStart = (used: number, cont: number, c: number): number => {
  return 31 - Math.clz32(used & ~cont & (-1 >>> (31 - c)));
};

/**
 * log2 of the largest aligned run of free children that starts at child `c`, which is free and maximal as a buddy. 0 if it
 * is not free after all, as in a state that others have written to.
 */
export const freeRunOrder = (free: number, c: number): number => {
  let r = MAX_RUN_ORDER;
  while (r > 0 && ((runStarts(free, r) >>> c) & 1) === 0) r--;
  return r;
};

/** log2 of the bits of a group of a bitmap: those of one int32. */
export const GROUP_BITS = 5;

/** Groups that `bits` bits of a bitmap take. */
export const groupsOf = (bits: number): number => {
  return (bits + 31) >>> GROUP_BITS;
};
