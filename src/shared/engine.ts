// The lock-free buddy system: how words are taken from, given to, opened and closed by many workers at once.
//
// A word is open while its parent's child is subdivided, and only then may it be changed by whoever wins the CAS. What the
// children of an open word say is true of the units below them, whatever happened since one looked, so a CAS that finds the
// value that was looked at may be trusted: there is no ABA problem.
//
//   opening  CAS of the parent: child free -> subdivided. The winner owns the closed word, and stores it with its block in it.
//   closing  CAS of the word: last block -> CLOSED. The winner owns the word, and frees the child of the parent by CAS.
//
// In between the word is in transit: closed below a subdivided child. Nobody else touches it, and nobody waits for it.
//
// An empty word that is a hint of the worker who emptied it stays open, or workers who free what they allocate would meet
// at the top of the tree. So an open word without a block is a hint of some worker, and whoever needs the room closes it.
//
// Everything here is a function of the responses of the cells: a worker's only memory is its slot.

import { blockLength, lowestBit, runStarts } from '../base/word.ts';
import type { Cells } from './cells.ts';
import { levelOf, misuse, sizeAt } from './inspect.ts';
import { FANOUT_BITS, type Geometry, NOBODY, ORDERS_PER_LEVEL, SLOT_HINTS, slotOf } from './layout.ts';
import { announce, changeOwner, endAnnouncement, ownerAt } from './owners.ts';
import { clearRunBits, nextWord, refresh, setRunBits } from './run-index.ts';
import { workerIdOf } from './slots.ts';
import { blockMask, CLOSED, contOf, EMPTY, freeOf, subdivisionMask, usedOf } from './word.ts';

/** The allocator as one attached worker runs it. */
export class Engine {
  readonly cells: Cells;
  readonly g: Geometry;
  readonly worker: number;
  readonly #hints: number;
  readonly #tracked: boolean;
  readonly #leaves: number;

  constructor(cells: Cells, g: Geometry, worker: number) {
    this.cells = cells;
    this.g = g;
    this.worker = worker;
    this.#hints = slotOf(g, worker) + SLOT_HINTS;
    this.#tracked = g.tracked;
    this.#leaves = g.words[0];
  }

  /** Offset of a block of 2^order units that this worker now owns; -1 when there is no room. */
  allocate(order: number): number {
    const level = order >>> 2;
    if (level >= this.g.levels) return -1;
    let offset = this.#take(level, this.cells.read(this.#hints + order), order & 3);
    if (offset < 0) offset = this.#search(level, order);
    if (this.#tracked) endAnnouncement(this.cells, this.g, this.worker);
    return offset;
  }

  /** Gives back the live block at `offset`, a unit of the arena. Returns its units. */
  free(offset: number): number {
    const freed = this.#tracked ? this.#freeTracked(offset) : this.#giveAt(offset);
    if (freed === 0) throw misuse(this.cells, this.g, offset);
    return freed;
  }

  /**
   * Gives back the block at `offset` if it is live and `owner` owns it. Returns its units, or 0. Of several workers who
   * try, one succeeds: where owners are tracked, the one who erases the owner. An `owner` of 0 has been erased already.
   */
  reclaim(offset: number, owner: number): number {
    const { cells, g, worker } = this;
    let freed = 0;
    if (this.#tracked) announce(cells, g, worker, offset);
    if (owner === 0 || changeOwner(cells, g, offset, owner, 0)) freed = this.#giveAt(offset);
    if (this.#tracked) endAnnouncement(cells, g, worker);
    return freed;
  }

  /**
   * Makes this worker the owner of the live block at `offset`: of that of the worker with the number `from`, who may have left
   * since, or, when that is 0, of whosever it is. Returns whether there is such a block.
   */
  adopt(offset: number, from: number): boolean {
    const { cells, g, worker } = this;
    if (!this.#tracked) return sizeAt(cells, g, offset) !== 0;
    for (;;) {
      const owner = ownerAt(cells, g, offset);
      if (owner === 0 || (from !== 0 && owner !== (from & 255) && owner !== NOBODY)) return false;
      if (!changeOwner(cells, g, offset, owner, worker)) continue;
      if (from === 0 || owner === NOBODY || workerIdOf(cells, g, owner) === from) return true;
      // It is a later worker's in the same place, who has it since that of `from` was recovered.
      changeOwner(cells, g, offset, worker, owner);
      return false;
    }
  }

  /** Closes the empty words that are this worker's hints, before it leaves. */
  closeOwnHints(): void {
    this.closeHints(this.worker, ORDERS_PER_LEVEL * this.g.levels);
    if (this.#tracked) endAnnouncement(this.cells, this.g, this.worker);
  }

  /** Closes the empty words that are hints of `worker` for orders below `end`. */
  closeHints(worker: number, end: number): void {
    const { cells, g } = this;
    const hints = slotOf(g, worker) + SLOT_HINTS;
    for (let order = 0; order < end; order++) {
      const level = order >>> 2;
      const word = cells.load(hints + order);
      if (cells.load(g.words[level] + word) === EMPTY) this.#close(level, word, false);
    }
  }

  /**
   * Follows up on the closing of `word` of `level`, which this worker owns: merges it into the level above, and so on while
   * that leaves words empty. With `keep`, those that are this worker's own hints stay open.
   */
  closeUp(level: number, word: number, keep: boolean): void {
    const { cells, g } = this;
    for (;;) {
      const cut = subdivisionMask(word & 15);
      level++;
      word >>>= FANOUT_BITS;
      const at = g.words[level] + word;
      for (;;) {
        const raw = cells.read(at);
        const next = raw ^ cut;
        if (next === EMPTY && !(keep && this.#isHint(level, word))) {
          if (cells.cas(at, raw, CLOSED)) break;
        } else if (cells.cas(at, raw, next)) {
          setRunBits(cells, g, level, word, next);
          return;
        }
      }
    }
  }

  /** `free` of whoever's block it is, which may change: somebody adopts it, or its owner leaves. */
  #freeTracked(offset: number): number {
    for (;;) {
      const owner = ownerAt(this.cells, this.g, offset);
      if (owner === 0) return 0;
      const freed = this.reclaim(offset, owner);
      if (freed !== 0) return freed;
    }
  }

  /** Takes a run of 2^r children of an open word. */
  #take(level: number, word: number, r: number): number {
    const cells = this.cells;
    const at = this.g.words[level] + word;
    for (;;) {
      const raw = cells.read(at);
      if (raw === CLOSED) return -1;
      const fits = runStarts(freeOf(raw), r);
      if (fits === 0) return -1;
      const c = lowestBit(fits);
      const offset = ((word << FANOUT_BITS) | c) << (FANOUT_BITS * level);
      if (this.#tracked) announce(cells, this.g, this.worker, offset);
      if (cells.cas(at, raw, raw ^ blockMask(r, c))) {
        if (this.#tracked) changeOwner(cells, this.g, offset, 0, this.worker);
        return offset;
      }
    }
  }

  /** Gives back the block at `offset`. Returns its units; 0 when no block begins there. */
  #giveAt(offset: number): number {
    const { cells, g } = this;
    if (cells.read(this.#leaves + (offset >>> FANOUT_BITS)) !== CLOSED) {
      return this.#give(0, offset >>> FANOUT_BITS, offset & 15);
    }
    const level = levelOf(cells, g, offset);
    const child = offset >>> (FANOUT_BITS * level);
    if (child << (FANOUT_BITS * level) !== offset) return 0;
    return this.#give(level, child >>> FANOUT_BITS, child & 15) << (FANOUT_BITS * level);
  }

  /** Gives back the block at child `c`. Returns its children; 0 when no block begins there. */
  #give(level: number, word: number, c: number): number {
    const cells = this.cells;
    const at = this.g.words[level] + word;
    for (;;) {
      const raw = cells.read(at);
      const used = usedOf(raw);
      const cont = contOf(raw);
      // A closed word has no first child of a block.
      if ((((used & ~cont) >>> c) & 1) === 0) return 0;
      const length = blockLength(used, cont, c);
      const r = 31 - Math.clz32(length);
      const next = raw ^ blockMask(r, c);
      const isHint = this.#keepAsHint(level, word, r);
      if (next === EMPTY && !isHint && !this.#isHint(level, word)) {
        if (!cells.cas(at, raw, CLOSED)) continue;
        this.closeUp(level, word, true);
      } else {
        if (!cells.cas(at, raw, next)) continue;
        setRunBits(cells, this.g, level, word, next);
      }
      return length;
    }
  }

  /**
   * Makes `word`, in which a block of order `r` becomes free, the hint for that order if the present one has no such room.
   * Returns whether it is the hint now.
   */
  #keepAsHint(level: number, word: number, r: number): boolean {
    const at = this.#hints + ORDERS_PER_LEVEL * level + r;
    const hint = this.cells.read(at);
    if (hint === word) return true;
    const raw = this.cells.read(this.g.words[level] + hint);
    if (raw !== CLOSED && runStarts(freeOf(raw), r) !== 0) return false;
    this.cells.write(at, word);
    return true;
  }

  /** `allocate` when the word at the hint has no room: elsewhere, first nearby, then everywhere. */
  #search(level: number, order: number): number {
    const { cells, g } = this;
    let offset = this.#reopen(cells.read(this.#hints + order), order);
    for (let l = level; offset < 0 && l < g.levels; l++) {
      const hint = cells.read(this.#hints + (l === level ? order : l * ORDERS_PER_LEVEL));
      const group = hint & ~31;
      offset = this.#searchRange(l, order, l === level ? hint + 1 : hint, Math.min(group + 32, g.count[l]));
      if (offset < 0) offset = this.#searchRange(l, order, group, hint);
    }
    for (let l = level; offset < 0 && l < g.levels; l++) {
      const hint = cells.read(this.#hints + (l === level ? order : l * ORDERS_PER_LEVEL));
      offset = this.#searchRange(l, order, hint, g.count[l]);
      if (offset < 0) offset = this.#searchRange(l, order, 0, hint);
    }
    return offset < 0 ? this.#searchAll(level, order) : offset;
  }

  /** Allocates in `word` of the order's level if that is closed and lies in a free block: opens it again. */
  #reopen(word: number, order: number): number {
    const { cells, g } = this;
    const level = order >>> 2;
    let l = level;
    for (let w = word; cells.read(g.words[l] + w) === CLOSED; w >>>= FANOUT_BITS) l++;
    return l === level ? -1 : this.#open(l, word, order);
  }

  /** Allocates in a word of `level` from `from` up to `to` that the index points out. */
  #searchRange(level: number, order: number, from: number, to: number): number {
    const { cells, g } = this;
    const r = level === order >>> 2 ? order & 3 : 0;
    for (
      let word = nextWord(cells, g, level, r, from, to);
      word < to;
      word = nextWord(cells, g, level, r, word + 1, to)
    ) {
      let offset = this.#takeIn(level, word, order);
      if (offset < 0 && level === order >>> 2) offset = this.#reopen(word, order);
      if (offset >= 0) return offset;
      clearRunBits(cells, g, level, word, r);
    }
    return -1;
  }

  /**
   * Allocates wherever there is room, whatever the index says: closes all empty words that are too small, then looks at
   * every word once. When this fails, no block that fits was free from the beginning to the end.
   */
  #searchAll(level: number, order: number): number {
    const { cells, g } = this;
    for (let worker = 1; worker <= g.slots; worker++) this.closeHints(worker, ORDERS_PER_LEVEL * level);
    for (let l = level; l < g.levels; l++) {
      const r = l === level ? order & 3 : 0;
      for (let word = 0; word < g.count[l]; word++) {
        const raw = cells.load(g.words[l] + word);
        if (raw === CLOSED || runStarts(freeOf(raw), r) === 0) continue;
        const offset = this.#takeIn(l, word, order);
        if (offset >= 0) {
          refresh(cells, g, l, word);
          return offset;
        }
      }
    }
    return -1;
  }

  /** Allocates in `word` of `level`: a run, or, on a level above that of the order, a free child to be opened. */
  #takeIn(level: number, word: number, order: number): number {
    const { cells, g } = this;
    const above = level - (order >>> 2);
    if (above === 0) {
      const offset = this.#take(level, word, order & 3);
      if (offset >= 0) this.#moveHint(order, word);
      return offset;
    }
    for (;;) {
      const raw = cells.read(g.words[level] + word);
      if (raw === CLOSED) return -1;
      const free = freeOf(raw);
      if (free === 0) return -1;
      const child = (word << FANOUT_BITS) | lowestBit(free);
      const offset = this.#open(level, child << (FANOUT_BITS * (above - 1)), order);
      if (offset >= 0) return offset;
    }
  }

  /**
   * Opens the words from `from` down to word `target` of the order's level, and allocates at the beginning of that.
   * `from` is the level of an open ancestor; -1 when the child that holds the target is not free.
   */
  #open(from: number, target: number, order: number): number {
    const { cells, g } = this;
    const level = order >>> 2;
    const offset = target << (FANOUT_BITS * (level + 1));
    let word = target >>> (FANOUT_BITS * (from - level));
    let child = target >>> (FANOUT_BITS * (from - level - 1));
    const at = g.words[from] + word;
    for (;;) {
      const raw = cells.read(at);
      if (raw === CLOSED || ((freeOf(raw) >>> (child & 15)) & 1) === 0) return -1;
      if (this.#tracked) announce(cells, g, this.worker, offset);
      if (cells.cas(at, raw, raw ^ subdivisionMask(child & 15))) break;
    }
    // Each word is made whole before it is shown; below it lies the one in transit.
    for (let l = from - 1; l > level; l--) {
      word = child;
      child = target >>> (FANOUT_BITS * (l - level - 1));
      cells.store(g.words[l] + word, EMPTY ^ subdivisionMask(child & 15));
    }
    cells.store(g.words[level] + target, EMPTY ^ blockMask(order & 3, 0));
    if (this.#tracked) changeOwner(cells, g, offset, 0, this.worker);
    for (let l = level; l < from; l++) {
      word = target >>> (FANOUT_BITS * (l - level));
      setRunBits(cells, g, l, word, cells.read(g.words[l] + word));
    }
    this.#moveHint(order, target);
    for (let l = level + 1; l <= from; l++) {
      this.#moveHint(l * ORDERS_PER_LEVEL, target >>> (FANOUT_BITS * (l - level)));
    }
    return offset;
  }

  /** Makes `word` the hint for `order`, and closes the one that it was if it is empty and no hint any more. */
  #moveHint(order: number, word: number): void {
    const { cells, g } = this;
    const at = this.#hints + order;
    const old = cells.read(at);
    if (old === word) return;
    const level = order >>> 2;
    // Before the hint moves, as an open word that is empty must be somebody's hint at every moment.
    if (cells.read(g.words[level] + old) === EMPTY && !this.#isHint(level, old, order & 3)) {
      this.#close(level, old, true);
    }
    cells.write(at, word);
  }

  /** Closes a word that was found open and empty, unless somebody has taken of it meanwhile. */
  #close(level: number, word: number, keep: boolean): void {
    if (this.#tracked) announce(this.cells, this.g, this.worker, word << (FANOUT_BITS * (level + 1)));
    if (this.cells.cas(this.g.words[level] + word, EMPTY, CLOSED)) this.closeUp(level, word, keep);
  }

  /** Whether `word` of `level` is this worker's hint for some order of the level but `except`, 0 … 3. */
  #isHint(level: number, word: number, except = -1): boolean {
    const hints = this.#hints + ORDERS_PER_LEVEL * level;
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      if (r !== except && this.cells.read(hints + r) === word) return true;
    }
    return false;
  }
}
