// What one operation did to the words, step by step, in words. Each step shows one word before or after it.

import { blockLength, levelOfOrder, lowestBit, runMask, runStarts } from '../../src/base/word.ts';
import { AT_CAPACITY } from '../../src/core/layout.ts';
import type { Last } from './timeline.ts';
import { blockOf, levelsOf, spanOf, type Word, wordAt } from './words.ts';

/** One step, and the word as it is after it. */
export interface Step {
  readonly title: string;
  readonly text: string;
  readonly word: Word;
  /** Children that the step is about. */
  readonly marked: number;
  /** Bits that the step changed. */
  readonly usedChanged: number;
  readonly contChanged: number;
  /** Children at which a block could start, where the step looks for one. */
  readonly candidates?: number;
}

const count = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
const children = (n: number): string => (n === 1 ? '1 child' : `${n} children`);
const at = (unit: number): string => unit.toLocaleString('en');

/** Which word of a level holds `unit`, and which child of it. */
function place(unit: number, level: number): { index: number; child: number } {
  const child = Math.floor(unit / spanOf(level));
  return { index: child >>> 5, child: child & 31 };
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

/** The steps of the operation that led from `last.before` to `after`. None when it changed nothing. */
export function explain(last: Last, after: Int32Array): Step[] {
  if (last.offset < 0) return [];
  return last.units > 0 ? explainAlloc(last, after) : explainFree(last, after);
}

function explainAlloc({ units, offset, before }: Last, after: Int32Array): Step[] {
  const order = 32 - Math.clz32(units - 1);
  const level = levelOfOrder(order);
  const run = 2 ** order / spanOf(level);
  const steps: Step[] = [];
  for (let l = levelsOf(after) - 1; l > level; l--) {
    const { index, child } = place(offset, l);
    const [old, now] = [wordAt(before, l, index), wordAt(after, l, index)];
    if (old.cont === now.cont) continue;
    steps.push(
      step(
        'Split',
        `Child ${child} was free as a whole: ${count(spanOf(l), 'unit')} from ${at(offset - (offset % spanOf(l)))} on. ` +
          'It becomes subdivided (cont 1): the word one level down says how.',
        now,
        1 << child,
        old,
      ),
    );
  }
  const { index, child } = place(offset, level);
  const [old, now] = [wordAt(before, level, index), wordAt(after, level, index)];
  const mask = runMask(lowestBit(run)) << child;
  const candidates = runStarts(~(old.used | old.cont), lowestBit(run));
  const rounded =
    units === 2 ** order ? `${count(units, 'unit')}` : `${units} units, rounded up to ${2 ** order},`;
  steps.push({
    ...step(
      'Find',
      `${rounded} ${units === 1 ? 'is' : 'are'} ${children(run)} of a word of level ${level}. Folding the free bits leaves a mark ` +
        `wherever such a run can start; the lowest is child ${child}.`,
      old,
      mask,
    ),
    candidates,
  });
  const splits = Math.log2(blockOf(before, offset).size) - order;
  const inTree =
    splits === 0
      ? 'The free block had just this size: nothing is split.'
      : `In the tree, a free block of ${at(2 ** (order + splits))} is split ${splits === 1 ? 'once' : `${splits} times`}. ` +
        'Here the halves that are left over are the zeros that stay.';
  steps.push(
    step(
      'Take',
      `${run === 1 ? 'used gets a one' : `used gets a one for each of the ${run} children, cont for all but the first`}. ${inTree}`,
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
  const { index, child } = place(offset, level);
  const [old, now] = [wordAt(before, level, index), wordAt(after, level, index)];
  const run = blockLength(old.used, old.cont, child);
  const mask = runMask(lowestBit(run)) << child;
  const steps = [
    step(
      'Size',
      `Child ${child} says used 1, cont 0: a block starts here. ` +
        `${run === 1 ? 'No child' : children(run - 1)} with both bits set ${run <= 2 ? 'follows' : 'follow'}, so it has ${count(freed.size, 'unit')}. ` +
        'Any other pair of bits would be a double free or a wrong offset.',
      old,
      mask,
    ),
    step(
      'Give back',
      `Both bits of ${run === 1 ? 'the child' : `the ${run} children`} become 0.`,
      now,
      mask,
      old,
    ),
  ];
  for (let l = level + 1; l < levelsOf(after); l++) {
    const above = place(offset, l);
    const [was, is] = [wordAt(before, l, above.index), wordAt(after, l, above.index)];
    if (was.cont === is.cont) break;
    steps.push(
      step(
        'Close',
        `The word below is all zero, so it closes: child ${above.child}, ${count(spanOf(l), 'unit')}, is free as a whole again (cont 0).`,
        is,
        1 << above.child,
        was,
      ),
    );
  }
  const merged = blockOf(after, offset);
  const times = Math.log2(merged.size / freed.size);
  const last = steps[steps.length - 1].word;
  const start = place(merged.offset, last.level);
  const length = Math.max(1, merged.size / spanOf(last.level));
  const joined = start.index === last.index && length < 32 ? runMask(lowestBit(length)) << start.child : mask;
  steps.push(
    times === 0
      ? step(
          'Coalesce',
          freed.size === after[AT_CAPACITY]
            ? 'The block is the whole arena, so it has no buddy.'
            : `Its buddy at ${at(offset ^ freed.size)} is not free as a whole, so the block stays as it is.`,
          last,
          joined,
        )
      : step(
          'Coalesce',
          `The block and its buddies are one free block of ${count(merged.size, 'unit')} at ${at(merged.offset)}, ` +
            `${times === 1 ? 'one level' : `${times} levels`} up the tree. Nothing is written for it: zeros beside zeros are a larger free block.`,
          last,
          joined,
        ),
  );
  return steps;
}
