// One word of a shared arena: the algebra of ../word.ts over 16 children, both masks in one int32 that a CAS can change.
//
// `used` is the low half, `cont` the high half. A word is kept XOR a value that no open word has, so that memory fresh from
// the runtime, all zero, is an arena of closed words. Bits of children are set and cleared by XOR alike.

import { longestRunOrder, runMask } from '../base/word.ts';
import { MAX_RUN_ORDER } from './layout.ts';

/** A word that nobody but its opener may change. Child 0 is a further child of nothing, which no open word shows. */
export const CLOSED = 0;

/** An open word in which nothing is used. */
export const EMPTY = 0x00010001;

/** Mask of the used children of an open word. */
export const usedOf = (raw: number): number => {
  return (raw ^ EMPTY) & 0xffff;
};

/** Mask of the children that are subdivided, or a further child of a block. */
export const contOf = (raw: number): number => {
  return (raw ^ EMPTY) >>> 16;
};

/** Mask of the free children of an open word. */
export const freeOf = (raw: number): number => {
  const w = raw ^ EMPTY;
  return ~(w | (w >>> 16)) & 0xffff;
};

/** log2 of the longest aligned run of free children of an open word; -1 when none is free. */
export const runOf = (raw: number): number => {
  const run = longestRunOrder(freeOf(raw));
  return run > MAX_RUN_ORDER ? MAX_RUN_ORDER : run;
};

/** What distinguishes a word with a block of 2^r children at child `c` from one where they are free. */
export const blockMask = (r: number, c: number): number => {
  return (runMask(r) | ((runMask(r) ^ 1) << 16)) << c;
};

/** What distinguishes a word whose child `c` is subdivided from one where it is free. */
export const subdivisionMask = (c: number): number => {
  return 0x10000 << c;
};
