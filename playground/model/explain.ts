// Explains what one operation did to the words, step by step. Each step shows one word, before or after the step.

import {
  blockLength,
  FANOUT_BITS,
  levelOfOrder,
  lowestBit,
  maskOf,
  orderOf,
  runStarts,
} from '../../src/base/word.ts';
import { AT_CAPACITY } from '../../src/core/layout.ts';
import { count, units as unitsText } from '../format.ts';
import type { Last } from './timeline.ts';
import { blockOf, levelsOf, unitsPerChild, type Word, wordAt } from './words.ts';

/** One step of an operation, and the word after it. */
export interface Step {
  readonly title: string;
  readonly text: string;
  readonly word: Word;
  /** Mask of the children that the step is about. */
  readonly marked: number;
  /** Masks of the bits that the step changed. */
  readonly usedChanged: number;
  readonly contChanged: number;
  /** Mask of the children at which a block could start; only in a step that searches one. */
  readonly candidates?: number;
}

const children = (n: number): string => (n === 1 ? '1 child' : `${n} children`);

/** The word of `level` that holds the unit at `offset`, and the child in that word. */
function childAt(offset: number, level: number): { index: number; child: number } {
  const child = Math.floor(offset / unitsPerChild(level));
  return { index: child >>> FANOUT_BITS, child: child & (2 ** FANOUT_BITS - 1) };
}

function step(title: string, text: string, word: Word, marked: number, previous: Word = word): Step {
  return {
    title,
    text,
    word,
    marked,
    usedChanged: word.used ^ previous.used,
    contChanged: word.cont ^ previous.cont,
  };
}

/** The steps of the operation that led from `last.before` to `after`. Empty if it changed nothing. */
export function explain(last: Last, after: Int32Array): Step[] {
  if (last.offset < 0) return [];
  return last.units > 0 ? explainAlloc(last, after) : explainFree(last, after);
}

function explainAlloc({ units, offset, before }: Last, after: Int32Array): Step[] {
  const order = orderOf(units);
  const level = levelOfOrder(order);
  const length = 2 ** order / unitsPerChild(level);
  const steps: Step[] = [];
  for (let l = levelsOf(after) - 1; l > level; l--) {
    const { index, child } = childAt(offset, l);
    const [old, now] = [wordAt(before, l, index), wordAt(after, l, index)];
    if (old.cont === now.cont) continue;
    steps.push(
      step(
        'Open',
        `Child ${child} was wholly free: ${unitsText(unitsPerChild(l))} from ${count(offset - (offset % unitsPerChild(l)))} on. ` +
          'It becomes subdivided (cont 1): the word one level down opens and says how.',
        now,
        1 << child,
        old,
      ),
    );
  }
  const { index, child } = childAt(offset, level);
  const [old, now] = [wordAt(before, level, index), wordAt(after, level, index)];
  const mask = maskOf(length, child);
  const candidates = runStarts(~(old.used | old.cont), lowestBit(length));
  const rounded =
    units === 2 ** order ? unitsText(units) : `${count(units)} units, rounded up to ${count(2 ** order)},`;
  steps.push({
    ...step(
      'Find',
      `${rounded} ${units === 1 ? 'is' : 'are'} ${children(length)} of a word of level ${level}. Folding the free bits leaves a one ` +
        `at each child where an aligned run of that length starts; the lowest is child ${child}.`,
      old,
      mask,
    ),
    candidates,
  });
  const splits = Math.log2(blockOf(before, offset).size) - order;
  const inTree =
    splits === 0
      ? 'The free block had just this size: nothing is split.'
      : `In the tree, a free block of ${count(2 ** (order + splits))} is split ${splits === 1 ? 'once' : `${splits} times`}. ` +
        'Here the halves left over are the zeros that remain.';
  steps.push(
    step(
      'Take',
      `${length === 1 ? 'used gets a one' : `used gets a one for each of the ${length} children, cont for all but the first`}. ${inTree}`,
      now,
      mask,
      old,
    ),
  );
  return steps;
}

function explainFree({ offset, before }: Last, after: Int32Array): Step[] {
  const freed = blockOf(before, offset);
  const level = levelOfOrder(Math.log2(freed.size));
  const { index, child } = childAt(offset, level);
  const [old, now] = [wordAt(before, level, index), wordAt(after, level, index)];
  const length = blockLength(old.used, old.cont, child);
  const mask = maskOf(length, child);
  const steps = [
    step(
      'Size',
      `Child ${child} says used 1, cont 0: a block starts here. ` +
        `${length === 1 ? 'No child' : children(length - 1)} with both bits set ${length <= 2 ? 'follows' : 'follow'}, so it has ${unitsText(freed.size)}. ` +
        'Any other pair of bits would be a double free or a wrong offset.',
      old,
      mask,
    ),
    step(
      'Give back',
      `Both bits of ${length === 1 ? 'the child' : `the ${length} children`} become 0.`,
      now,
      mask,
      old,
    ),
  ];
  for (let l = level + 1; l < levelsOf(after); l++) {
    const above = childAt(offset, l);
    const [was, is] = [wordAt(before, l, above.index), wordAt(after, l, above.index)];
    if (was.cont === is.cont) break;
    steps.push(
      step(
        'Close',
        `The word below is all zero, so it closes: child ${above.child}, ${unitsText(unitsPerChild(l))}, is wholly free again (cont 0).`,
        is,
        1 << above.child,
        was,
      ),
    );
  }
  const merged = blockOf(after, offset);
  const times = Math.log2(merged.size / freed.size);
  const last = steps[steps.length - 1].word;
  const start = childAt(merged.offset, last.level);
  const free = Math.max(1, merged.size / unitsPerChild(last.level));
  const joined = start.index === last.index && free < 2 ** FANOUT_BITS ? maskOf(free, start.child) : mask;
  steps.push(
    times === 0
      ? step(
          'Coalesce',
          freed.size === after[AT_CAPACITY]
            ? 'The block is the whole arena, so it has no buddy.'
            : `Its buddy at ${count(offset ^ freed.size)} is not wholly free, so the block stays as it is.`,
          last,
          joined,
        )
      : step(
          'Coalesce',
          `The block and its buddies are one free block of ${unitsText(merged.size)} at ${count(merged.offset)}, ` +
            `${times === 1 ? 'one order' : `${times} orders`} up the tree. No bit is written for that: zeros beside zeros are a larger free block.`,
          last,
          joined,
        ),
  );
  return steps;
}
