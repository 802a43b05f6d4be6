// Questions about a state, none of which changes a byte of it.

import type { Block } from '../../base/blocks.ts';
import { detachedError } from '../../base/errors.ts';
import {
  blockLength,
  blockStart,
  FANOUT_BITS,
  freeRunOrder,
  MAX_RUN_ORDER,
  runStarts,
} from '../../base/word.ts';
import { AT_CAPACITY, AT_COUNT, AT_LEVELS, FULL, hintAt, MAX_LEVELS, pairAt } from '../layout.ts';
import { nextWord } from '../run-index.ts';

/** Position of the sentinel of the top level, which lies behind all words. */
export function sentinelAt(state: Int32Array): number {
  return pairAt(state, state[AT_LEVELS] - 1, 1);
}

/**
 * The level whose word says what `offset` is part of: the lowest one that is open there. A state in a memory that others
 * write to may have no such word, if they have zeroed it: then the last level there can be.
 */
function levelOf(state: Int32Array, offset: number): number {
  let word = offset >>> FANOUT_BITS;
  for (let level = 0; level < MAX_LEVELS - 1; level++, word >>>= FANOUT_BITS) {
    const pos = pairAt(state, level, word);
    if ((state[pos] | state[pos + 1]) !== 0) return level;
  }
  return MAX_LEVELS - 1;
}

/** Offset of the live block that holds the unit at `offset`; -1 if that is free. */
export function blockOf(state: Int32Array, offset: number): number {
  const level = levelOf(state, offset);
  const child = offset >>> (FANOUT_BITS * level);
  const pos = pairAt(state, level, child >>> FANOUT_BITS);
  const used = state[pos];
  if (((used >>> child) & 1) === 0) return -1;
  return ((child & ~31) | blockStart(used, state[pos + 1], child & 31)) << (FANOUT_BITS * level);
}

/** Size of the live block that starts at `offset`; 0 if none does. */
export function sizeAt(state: Int32Array, offset: number): number {
  const level = levelOf(state, offset);
  const child = offset >>> (FANOUT_BITS * level);
  const pos = pairAt(state, level, child >>> FANOUT_BITS);
  const used = state[pos];
  const cont = state[pos + 1];
  if ((((used & ~cont) >>> child) & 1) === 0 || child << (FANOUT_BITS * level) !== offset) return 0;
  return blockLength(used, cont, child) << (FANOUT_BITS * level);
}

/** Order of the live block that starts at `offset`, or the complement `~order` of the maximal free block that does. One of them must. */
export function orderAt(state: Int32Array, offset: number): number {
  const level = levelOf(state, offset);
  const child = offset >>> (FANOUT_BITS * level);
  const pos = pairAt(state, level, child >>> FANOUT_BITS);
  const used = state[pos];
  const cont = state[pos + 1];
  const base = FANOUT_BITS * level;
  if (((used >>> child) & 1) === 0) return ~(base + freeRunOrder(~(used | cont), child));
  return base + 31 - Math.clz32(blockLength(used, cont, child));
}

/** Size of the largest free block; 0 if nothing is free. Passes by at most five stale words per order. */
export function largestFree(state: Int32Array): number {
  for (let level = state[AT_LEVELS] - 1; level >= 0; level--) {
    for (let r = MAX_RUN_ORDER; r >= 0; r--) {
      let word = state[hintAt(level, r)];
      for (;;) {
        word = nextWord(state, level, r, word);
        if (word === state[AT_COUNT + level]) break;
        const pos = pairAt(state, level, word);
        const busy = state[pos] | state[pos + 1];
        if (busy !== 0 && runStarts(~busy, r) !== 0) return 1 << (FANOUT_BITS * level + r);
        word++;
      }
    }
  }
  return 0;
}

/** All blocks in address order. Throws a BuddyError `DETACHED` at the first step after the state has gone. */
export function* blocks(state: Int32Array): Generator<Block, void, undefined> {
  const capacity = state[AT_CAPACITY];
  const sentinel = sentinelAt(state);
  for (let offset = 0; offset < capacity; ) {
    if (state[sentinel] !== FULL) throw detachedError(); // since the last step
    const found = orderAt(state, offset);
    const free = found < 0;
    const size = 1 << (free ? ~found : found);
    yield { offset, size, free };
    offset += size;
  }
}
