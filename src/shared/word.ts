// One word of a shared arena: the algebra of ../base/word.ts over 16 children, both masks in one int32 that a CAS can
// change.
//
// `used` is the low half, `cont` the high half. A word is stored XOR a value that no open word has, so that memory
// fresh from the runtime, all zero, is an arena of closed words. Here `value` is the int32 as stored. XOR sets and
// clears the bits of children alike.

import { longestRunOrder, runMask } from '../base/word.ts';
import { MAX_RUN_ORDER } from './layout.ts';

/**
 * A closed word: only the worker that opens it may write it. Its child 0 continues a block that does not start, which
 * no open word can encode.
 */
export const CLOSED = 0;

/** An open word without a used child. */
export const EMPTY = 0x00010001;

/** Mask of the used children of an open word. */
export const usedOf = (value: number): number => {
  return (value ^ EMPTY) & 0xffff;
};

/** Mask of the children of an open word that are subdivided, or a further child of a block. */
export const contOf = (value: number): number => {
  return (value ^ EMPTY) >>> 16;
};

/** Mask of the free children of an open word. */
export const freeOf = (value: number): number => {
  const w = value ^ EMPTY;
  return ~(w | (w >>> 16)) & 0xffff;
};

/** How many children a mask of children holds. Adds neighbours: 2 bits, 4, 8 (Warren, Hacker's Delight, 2002). */
export const countOf = (mask: number): number => {
  const two = mask - ((mask >>> 1) & 0x5555);
  const four = (two & 0x3333) + ((two >>> 2) & 0x3333);
  const eight = (four + (four >>> 4)) & 0x0f0f;
  return (eight + (eight >>> 8)) & 31;
};

/** Whether child `c` of an open word is subdivided. */
export const isSubdivided = (value: number, c: number): boolean => {
  return (((contOf(value) & ~usedOf(value)) >>> c) & 1) === 1;
};

/** log2 of the longest aligned run of free children of an open word, 0 … 3; -1 if no child is free. */
export const runOf = (value: number): number => {
  const run = longestRunOrder(freeOf(value));
  return run > MAX_RUN_ORDER ? MAX_RUN_ORDER : run;
};

/** XOR mask that turns 2^r free children at child `c` into a live block, and back. */
export const blockMask = (r: number, c: number): number => {
  return (runMask(r) | ((runMask(r) ^ 1) << 16)) << c;
};

/** XOR mask that turns the free child `c` into a subdivided one, and back. */
export const subdivisionMask = (c: number): number => {
  return 0x10000 << c;
};
