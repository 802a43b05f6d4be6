// Sequences of operations made to cost as much as they can: they pile up stale bits of the run index, then have one
// search pay for all of them. They know the placement rule, lowest address first, and are otherwise mere operations:
// x > 0 allocates x units and gets the next id from 0, x < 0 frees the block with the id ~x.

import { Random } from './random.ts';

/** Writes down a sequence. */
class Script {
  readonly operations: number[] = [];
  #ids = 0;

  alloc(size: number): number {
    this.operations.push(size);
    return this.#ids++;
  }

  free(id: number): void {
    this.operations.push(~id);
  }

  /** Fills one word of 32 children of `unit` units: blocks of 16, 8, 4, 2, 1 and 1 children. Returns their ids, 1 first. */
  fillWord(unit: number): number[] {
    const ids = [16, 8, 4, 2, 1].map((children) => this.alloc(children * unit)).reverse();
    this.alloc(unit);
    return ids;
  }
}

/** Units of a child of `level`. */
const childOf = (level: number): number => 32 ** level;

/** Words of `level` that an arena of `capacity` units has as a whole. */
const wordsOf = (capacity: number, level: number): number => Math.floor(capacity / childOf(level + 1));

/** Words are filled; then, from the last to the first, half of each becomes free and is taken again. */
function descending(capacity: number, steps: number, level: number): Script {
  const script = new Script();
  const unit = childOf(level);
  const halves = Array.from({ length: 2 * Math.min(steps, wordsOf(capacity, level)) }, () =>
    script.alloc(16 * unit),
  );
  for (let half = halves.length - 1; half > 0; half -= 2) {
    script.free(halves[half]);
    script.alloc(16 * unit);
  }
  return script;
}

/**
 * Five words, `apart` words from each other, get free runs of 1, 2, 4, 8 and 16 children, which are taken again, largest first:
 * all five words are stale then, as many as can be. Ladder after ladder down the arena, `steps` times; then a search.
 */
function ladders(capacity: number, steps: number, level: number, apart: number): Script {
  const script = new Script();
  const unit = childOf(level);
  const words = Array.from({ length: Math.min(steps + 4 * apart, wordsOf(capacity, level)) }, () =>
    script.fillWord(unit),
  );
  for (let first = words.length - 1 - 4 * apart; first >= 0; first--)
    climb(script, words, first, apart, unit);
  return script;
}

/** Frees a run of 2^r children in word `first + r * apart`, for each r, and takes it again, from r = 4 down. */
function climb(script: Script, words: number[][], first: number, apart: number, unit: number): void {
  for (let r = 4; r >= 0; r--) script.free(words[first + r * apart][r]);
  for (let r = 4; r >= 0; r--) words[first + r * apart][r] = script.alloc(unit << r);
}

/**
 * A ladder at every level that has the words for it, everything between full. Then half a word of the highest of them, at the
 * lowest address, goes, and one unit is allocated: a search through all the ladders that opens a word on every
 * level. The unit goes, and the words close again; `steps` times.
 */
function towers(capacity: number, steps: number): Script {
  const script = new Script();
  const top = [4, 3, 2, 1].find((level) => wordsOf(capacity, level) >= 8) ?? 0;
  let door = script.alloc(16 * childOf(top));
  script.alloc(16 * childOf(top));
  const rungs = Array.from({ length: top + 1 }, (_, below) => {
    const unit = childOf(top - below);
    // Each word in a group of the index of its own, where there is room, makes the index cost most.
    const apart = below === 0 ? 1 : below === 1 && wordsOf(capacity, top) < 13 ? 7 : 32;
    const words = Array.from({ length: 4 * apart + 1 }, () => script.fillWord(unit));
    // The rest of the word above, so that the next rung begins with a word of its own.
    if (below > 0) for (let word = words.length; word % 32 !== 0; word++) script.alloc(32 * unit);
    return { unit, apart, words };
  });
  // From the lowest up: a block that is freed at a level has the next search below it look there, which settles.
  rungs.reverse();
  for (let step = 0; step < steps; step++) {
    for (const { unit, apart, words } of rungs) climb(script, words, 0, apart, unit);
    script.free(door);
    script.free(script.alloc(1));
    door = script.alloc(16 * childOf(top));
  }
  for (const { unit, apart, words } of rungs) climb(script, words, 0, apart, unit);
  script.free(door);
  return script;
}

/**
 * Words close while a lower one is the hint of all orders, and are built over by blocks of a whole word; then the lower one
 * fills up.
 */
function builtOver(capacity: number, steps: number): Script {
  const script = new Script();
  const halves = Array.from({ length: 2 * Math.min(steps, wordsOf(capacity, 0)) }, () => script.alloc(16));
  for (const half of halves.slice(1)) script.free(half);
  for (let built = halves.length / 2 - 1; built > 0; built--) script.alloc(32);
  script.alloc(16);
  return script;
}

/** One unit of an empty arena comes and goes: a word opens and closes on every level. */
function openAndClose(_capacity: number, steps: number): Script {
  const script = new Script();
  for (let step = 0; step < steps; step++) script.free(script.alloc(1));
  return script;
}

/** Single units; every second one goes, then what is left of every second pair, and so on; refilled in between. */
function combs(capacity: number, steps: number): Script {
  const script = new Script();
  let teeth = Array.from({ length: Math.min(steps, capacity) }, () => script.alloc(1));
  for (let size = 1; teeth.length > 1; size *= 2) {
    for (const id of teeth.filter((_, i) => i % 2 === 0)) script.free(id);
    teeth = teeth.filter((_, i) => i % 2 === 1);
    // A block of twice the size finds no room in the comb.
    script.free(script.alloc(2 * size));
    for (let refilled = 0; refilled < teeth.length / 2; refilled++) script.alloc(size);
  }
  return script;
}

/** Half of every word is freed; then sizes of all orders in turn take from them. */
function turns(capacity: number, steps: number, level: number): Script {
  const script = new Script();
  const unit = childOf(level);
  const count = Math.min(steps, wordsOf(capacity, level));
  const words = Array.from({ length: count }, () => script.fillWord(unit));
  const taken: number[] = [];
  for (let word = count - 1; word >= 0; word--) script.free(words[word][4]);
  for (let step = 0; step < count; step++) {
    for (const children of [16, 1, 8, 2, 4]) taken.push(script.alloc(children * unit));
  }
  for (let last = taken.length - 1; last >= 0; last--) script.free(taken[last]);
  return script;
}

/** Sizes of all orders, random frees, mostly close to full, so that free runs are few and far between. */
function random(capacity: number, steps: number, seed: number): Script {
  const script = new Script();
  const numbers = new Random(seed);
  const live: { id: number; size: number }[] = [];
  const orders = 1 + numbers.below(Math.log2(capacity));
  let used = 0;
  for (let step = 0; step < steps; step++) {
    const size = 2 ** numbers.below(orders);
    if (used + size < capacity && numbers.next() < 0.9) {
      live.push({ id: script.alloc(size), size });
      used += size;
    } else if (live.length > 0) {
      const at = numbers.below(live.length);
      const gone = live[at];
      live[at] = live[live.length - 1];
      live.pop();
      script.free(gone.id);
      used -= gone.size;
    }
  }
  return script;
}

/** Operations at the end of each sequence that pay for what came before: a search for each of a few sizes. */
export const PROBES = 8;

function probed(script: Script): readonly number[] {
  for (const size of [1, 32, 16, 512]) script.free(script.alloc(size));
  return script.operations;
}

/** A way to make operations slow; the more `steps`, the longer it is prepared. The last {@link PROBES} operations find out. */
export interface Adversary {
  readonly name: string;
  operations(capacity: number, steps: number): readonly number[];
}

const adversary = (name: string, script: (capacity: number, steps: number) => Script): Adversary => ({
  name,
  operations: (capacity, steps) => probed(script(capacity, steps)),
});

/** All of them; those that name a level ask for an arena that has it. */
export const ADVERSARIES: readonly Adversary[] = [
  adversary('descending halves', (capacity, steps) => descending(capacity, steps, 0)),
  adversary('descending halves, level 1', (capacity, steps) => descending(capacity, steps, 1)),
  adversary('ladders', (capacity, steps) => ladders(capacity, steps, 0, 1)),
  adversary('ladders, a group apart', (capacity, steps) => ladders(capacity, steps, 0, 32)),
  adversary('ladders, level 1', (capacity, steps) => ladders(capacity, steps, 1, 1)),
  adversary('towers', (capacity, steps) => towers(capacity, steps / 10)),
  adversary('built over', builtOver),
  adversary('open and close', openAndClose),
  adversary('combs', combs),
  adversary('turns', (capacity, steps) => turns(capacity, steps, 0)),
  adversary('turns, level 1', (capacity, steps) => turns(capacity, steps, 1)),
  ...[1, 2, 3].map((seed) =>
    adversary(`random, seed ${seed}`, (capacity, steps) => random(capacity, steps, seed)),
  ),
];
