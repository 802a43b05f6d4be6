// Questions about a state, none of which changes a byte of it.

import type { Block } from '../base/blocks.ts';
import { detachedError } from '../base/errors.ts';
import {
  blockLength,
  blockStart,
  FANOUT_BITS,
  freeRunOrder,
  levelOfOrder,
  MAX_RUN_ORDER,
  runMask,
  runStarts,
} from '../base/word.ts';
import { AT_CAPACITY, AT_COUNT, AT_HINT, AT_LEVELS, AT_WORDS, ORDERS_PER_LEVEL } from './layout.ts';
import { nextWord } from './run-index.ts';

/**
 * Whether the buffer of a state is gone. The length of `s` does not tell: optimized code of V8 11 that has seen views of
 * resizable buffers, too, goes on giving the length that a detached view had.
 */
export function isDetached(s: Int32Array): boolean {
  return s[AT_CAPACITY] === undefined;
}

/** The level whose word tells what `unit` is part of: the lowest one that is open there. */
function levelOf(s: Int32Array, unit: number): number {
  let level = 0;
  for (let word = unit >>> FANOUT_BITS; ; word >>>= FANOUT_BITS) {
    const at = s[AT_WORDS + level] + 2 * word;
    if ((s[at] | s[at + 1]) !== 0) return level;
    level++;
  }
}

/** Offset of the live block that holds `unit`; -1 when it is free. */
export function blockOf(s: Int32Array, unit: number): number {
  const level = levelOf(s, unit);
  const child = unit >>> (FANOUT_BITS * level);
  const at = s[AT_WORDS + level] + ((child >>> 5) << 1);
  const used = s[at];
  if (((used >>> child) & 1) === 0) return -1;
  return ((child & ~31) | blockStart(used, s[at + 1], child & 31)) << (FANOUT_BITS * level);
}

/** Size of the live block that starts at `unit`; 0 when none does. */
export function sizeAt(s: Int32Array, unit: number): number {
  const level = levelOf(s, unit);
  const child = unit >>> (FANOUT_BITS * level);
  const at = s[AT_WORDS + level] + ((child >>> 5) << 1);
  const used = s[at];
  const cont = s[at + 1];
  if ((((used & ~cont) >>> child) & 1) === 0 || child << (FANOUT_BITS * level) !== unit) return 0;
  return blockLength(used, cont, child) << (FANOUT_BITS * level);
}

/** Whether all of the block of `order` at `offset` is free. */
export function isFree(s: Int32Array, offset: number, order: number): boolean {
  const level = levelOfOrder(order);
  const found = levelOf(s, offset);
  if (found < level) return false;
  const child = offset >>> (FANOUT_BITS * found);
  const at = s[AT_WORDS + found] + ((child >>> 5) << 1);
  const mask = found === level ? runMask(order - FANOUT_BITS * level) : 1;
  return (((s[at] | s[at + 1]) >>> child) & mask) === 0;
}

/** Order of the live block that starts at `unit`; ~order of the maximal free block that does. One of them must. */
export function orderAt(s: Int32Array, unit: number): number {
  const level = levelOf(s, unit);
  const child = unit >>> (FANOUT_BITS * level);
  const at = s[AT_WORDS + level] + ((child >>> 5) << 1);
  const used = s[at];
  const cont = s[at + 1];
  const base = FANOUT_BITS * level;
  if (((used >>> child) & 1) === 0) return ~(base + freeRunOrder(~(used | cont), child));
  return base + 31 - Math.clz32(blockLength(used, cont, child));
}

/** Size of the largest free block; 0 when nothing is free. Passes by at most five stale words an order. */
export function largestFree(s: Int32Array): number {
  for (let level = s[AT_LEVELS] - 1; level >= 0; level--) {
    for (let r = MAX_RUN_ORDER; r >= 0; r--) {
      let word = s[AT_HINT + level * ORDERS_PER_LEVEL + r];
      for (;;) {
        word = nextWord(s, level, r, word);
        if (word === s[AT_COUNT + level]) break;
        const at = s[AT_WORDS + level] + 2 * word;
        const busy = s[at] | s[at + 1];
        if (busy !== 0 && runStarts(~busy, r) !== 0) return 1 << (FANOUT_BITS * level + r);
        word++;
      }
    }
  }
  return 0;
}

/** All blocks in address order. */
export function* blocks(s: Int32Array): Generator<Block, void, undefined> {
  const capacity = s[AT_CAPACITY];
  for (let offset = 0; offset < capacity; ) {
    if (isDetached(s)) throw detachedError(); // since the last step
    const found = orderAt(s, offset);
    const free = found < 0;
    const size = 1 << (free ? ~found : found);
    yield { offset, size, free };
    offset += size;
  }
}
