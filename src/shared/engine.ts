// The lock-free buddy system: how many workers at once take blocks from words, give them back, and open and close
// words.
//
// A word is open while its child in the word above is subdivided, and only then may any worker change it, by CAS. An
// open word fully describes its units. A CAS that succeeds is therefore valid, however often the word changed since
// it was read: there is no ABA problem.
//
//   opening  CAS of the parent: child free -> subdivided. The winner owns the closed word, and stores it with its block.
//   closing  CAS of the word: last block -> CLOSED. The winner owns the word, and frees the child of the parent by CAS.
//
// In between the word is in transit: closed below a subdivided child. No other worker touches it, and none waits for
// it.
//
// An empty word stays open if it is a hint of the worker that emptied it. Otherwise workers that allocate and free
// one block would meet at the top of the tree. So each open word without a block is a hint of some worker, and any
// worker that needs the room closes it.
//
// Each method depends on the answers of the cells alone: a worker remembers nothing outside its slot. But it does not
// trust them: a number from the cells that becomes a position is checked first, so that damage makes no access leave
// the state, and no loop endless.

import { assert, DEV } from '../base/assert.ts';
import { blockLength, lowestBit, runStarts } from '../base/word.ts';
import { announce, endAnnouncement } from './announcements.ts';
import type { Cells } from './cells.ts';
import type { Holdings } from './holdings.ts';
import { levelOf, sizeAt } from './inspect.ts';
import { FANOUT_BITS, type Geometry, ORDERS_PER_LEVEL, SLOT_HINTS } from './layout.ts';
import { changeOwner, noteOwner, ownerAt, ownsAny } from './owners.ts';
import { adjust, endOf, extendTo, homeOf, reachPos, SAMPLED_BITS, wordOf } from './reach.ts';
import { clearRunBits, nextWord, refresh, setRunBits } from './run-index.ts';
import { beginAdoption, endAdoption, slotOf, slotPos, vacateSlot } from './slots.ts';
import { blockMask, CLOSED, contOf, EMPTY, freeOf, isSubdivided, subdivisionMask, usedOf } from './word.ts';

/** Whether `level` has a word with that number. */
const isWord = (g: Geometry, level: number, word: number): boolean => {
  return word >>> 0 < g.count[level];
};

/** The allocator as the attached worker in one slot runs it. */
export class Engine {
  readonly cells: Cells;
  readonly g: Geometry;
  readonly slot: number;
  readonly #pos: number;
  readonly #hints: number;
  readonly #reach: number;
  readonly #tracked: boolean;
  readonly #leaves: number;

  constructor(cells: Cells, g: Geometry, slot: number) {
    this.cells = cells;
    this.g = g;
    this.slot = slot;
    this.#pos = slotPos(g, slot);
    this.#hints = this.#pos + SLOT_HINTS;
    this.#reach = reachPos(g, this.#pos);
    this.#tracked = g.tracked;
    this.#leaves = g.words[0];
  }

  /** Allocates a block of 2^order units, which this worker owns then. Returns its offset; -1 if there is no room. */
  allocate(order: number): number {
    const level = order >>> 2;
    if (level >= this.g.levels) return -1;
    let offset = this.#take(level, this.#hintFor(order), order & 3);
    if (offset < 0) offset = this.#search(level, order);
    if (this.#tracked) endAnnouncement(this.cells, this.g, this.slot);
    return offset;
  }

  /** Gives back the live block at `offset`, a unit of the arena. Returns its units; 0 if no live block starts there. */
  free(offset: number): number {
    return this.#tracked ? this.#freeTracked(offset) : this.#giveAt(offset);
  }

  /**
   * Gives back the block at `offset` if it is live and `owner` owns it. Returns its units; 0 if not. Of several
   * workers that try, one succeeds: in a tracked arena, the one that erases the owner. An `owner` of 0 has been
   * erased already.
   */
  reclaim(offset: number, owner: number): number {
    const { cells, g, slot } = this;
    let freed = 0;
    if (this.#tracked) announce(cells, g, slot, offset);
    if (owner === 0 || changeOwner(cells, g, offset, owner, 0)) freed = this.#giveAt(offset);
    if (this.#tracked) endAnnouncement(cells, g, slot);
    return freed;
  }

  /**
   * Makes this worker the owner of the live block at `offset`. With `from`, the id of a worker, the block must belong
   * to that worker, or have been left by it; with 0, to anyone. Returns whether there is such a block. The change is
   * one CAS: a worker that dies in this call has the block or has not.
   */
  adopt(offset: number, from: number): boolean {
    const { cells, g, slot } = this;
    if (!this.#tracked) return sizeAt(cells, g, offset) !== 0;
    if (from !== 0) {
      const adopted =
        beginAdoption(cells, g, slot, from) && changeOwner(cells, g, offset, slotOf(from), slot);
      endAdoption(cells, g, slot);
      return adopted;
    }
    for (;;) {
      const owner = ownerAt(cells, g, offset);
      if (owner === 0) return false;
      if (changeOwner(cells, g, offset, owner, slot)) return true;
    }
  }

  /**
   * Gives back this worker's slot. Its blocks stay, as left by it. The last access is the one that counts: a worker
   * that dies before it has left nothing, and its blocks are taken back. `holdings` are its blocks besides the arena's.
   * O(1), or O(capacity) if owners are tracked.
   */
  detach(holdings?: Holdings): void {
    const { cells, g, slot } = this;
    this.closeHints(slot, ORDERS_PER_LEVEL * g.levels);
    if (this.#tracked) endAnnouncement(cells, g, slot);
    vacateSlot(cells, g, slot, ownsAny(cells, g, slot) || holdings?.owns(slot) === true);
  }

  /** Closes the empty words that are hints of the worker in `slot` for orders below `end`. */
  closeHints(slot: number, end: number): void {
    const { cells, g } = this;
    const hints = slotPos(g, slot) + SLOT_HINTS;
    for (let order = 0; order < end; order++) {
      const level = order >>> 2;
      const word = cells.load(hints + order);
      if (isWord(g, level, word) && cells.load(g.words[level] + word) === EMPTY)
        this.#close(level, word, false);
    }
  }

  /**
   * Goes on after this worker has closed `word` of `level`, which it owns now: merges the word into the level above,
   * and so on as long as that leaves words empty. With `keep`, an empty word that is this worker's own hint stays
   * open.
   */
  closeUp(level: number, word: number, keep: boolean): void {
    const { cells, g } = this;
    // The top word never becomes empty, unless it is damaged.
    while (++level < g.levels) {
      const c = word & 15;
      word >>>= FANOUT_BITS;
      const pos = g.words[level] + word;
      for (;;) {
        const value = cells.read(pos);
        const next = value ^ subdivisionMask(c);
        const closes = next === EMPTY && !(keep && this.#isHint(level, word));
        if (!cells.cas(pos, value, closes ? CLOSED : next)) continue;
        if (DEV) assert(isSubdivided(value, c), 'a word that is merged lies below a subdivided child');
        if (closes) break;
        setRunBits(cells, g, level, word, next);
        return;
      }
    }
  }

  /**
   * `free` in a tracked arena. The owner may change meanwhile: another worker adopts the block, or the owner
   * detaches.
   */
  #freeTracked(offset: number): number {
    for (;;) {
      const owner = ownerAt(this.cells, this.g, offset);
      if (owner === 0) return 0;
      const freed = this.reclaim(offset, owner);
      if (freed !== 0) return freed;
    }
  }

  /**
   * Takes the lowest free run of 2^r children of an open word. Returns the offset of the block; -1 if there is none.
   */
  #take(level: number, word: number, r: number): number {
    const cells = this.cells;
    const pos = this.g.words[level] + word;
    for (;;) {
      const value = cells.read(pos);
      if (value === CLOSED) return -1;
      const fits = runStarts(freeOf(value), r);
      if (fits === 0) return -1;
      const c = lowestBit(fits);
      const offset = ((word << FANOUT_BITS) | c) << (FANOUT_BITS * level);
      if (offset >>> 0 >= this.g.capacity) return -1; // damaged: such a child is always in use
      if (this.#tracked) announce(cells, this.g, this.slot, offset);
      if (cells.cas(pos, value, value ^ blockMask(r, c))) {
        if (this.#tracked) noteOwner(cells, this.g, offset, this.slot);
        return offset;
      }
    }
  }

  /** Gives back the block at `offset`. Returns its units; 0 if no block starts there. */
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

  /** Gives back the block at child `c`. Returns its children; 0 if no block starts there. */
  #give(level: number, word: number, c: number): number {
    const cells = this.cells;
    const pos = this.g.words[level] + word;
    for (;;) {
      const value = cells.read(pos);
      const used = usedOf(value);
      const cont = contOf(value);
      // A closed word shows no first child of a block, so it fails here as well.
      if ((((used & ~cont) >>> c) & 1) === 0) return 0;
      const length = blockLength(used, cont, c);
      const r = 31 - Math.clz32(length);
      const next = value ^ blockMask(r, c);
      const isHint = this.#keepAsHint(level, word, r);
      if (next === EMPTY && !isHint && !this.#isHint(level, word)) {
        if (!cells.cas(pos, value, CLOSED)) continue;
        this.closeUp(level, word, true);
      } else {
        if (!cells.cas(pos, value, next)) continue;
        setRunBits(cells, this.g, level, word, next);
      }
      if (DEV) assert((length & (length - 1)) === 0, 'a block has a power of two of children');
      return length;
    }
  }

  /**
   * Makes `word`, in which a block of order `r` is about to become free, the hint for that order if the present hint
   * has no such room and the word is in reach. Returns whether the word is the hint now.
   */
  #keepAsHint(level: number, word: number, r: number): boolean {
    const { cells, g } = this;
    const pos = this.#hints + ORDERS_PER_LEVEL * level + r;
    const hint = cells.read(pos);
    if (hint === word) return true;
    if (isWord(g, level, hint)) {
      const value = cells.read(g.words[level] + hint);
      if (value !== CLOSED && runStarts(freeOf(value), r) !== 0) return false;
    }
    if (cells.read(this.#reach + level) <= word << FANOUT_BITS) return false;
    if ((word & SAMPLED_BITS) === 0) this.#adjustReach(level, word);
    cells.write(pos, word);
    return true;
  }

  /** Looks at the word above `word`, a new hint of `level`, and moves the end of the reach by what it shows. */
  #adjustReach(level: number, word: number): void {
    const { cells, g } = this;
    const home = homeOf(cells, g, this.#pos, level);
    // Below home lies the room of other workers. The top level has one word.
    if (word < home || level + 1 === g.levels) return;
    const value = cells.read(g.words[level + 1] + (word >>> FANOUT_BITS));
    if (value !== CLOSED) adjust(cells, this.#reach + level, freeOf(value), home, g.count[level]);
  }

  /**
   * Slow path of `allocate`: the hint has no room. Searches the words in reach, first those near the hints, then the
   * others from home on, then all words.
   */
  #search(level: number, order: number): number {
    const { cells, g } = this;
    let offset = this.#reopen(this.#hintFor(order), order);
    if (offset >= 0) return offset;
    for (let l = level; l < g.levels; l++) {
      const hint = this.#hintFor(l === level ? order : l * ORDERS_PER_LEVEL);
      const group = hint & ~31;
      const end = endOf(cells, this.#reach + l, g.count[l]);
      offset = this.#searchRange(l, order, l === level ? hint + 1 : hint, Math.min(group + 32, end));
      if (offset < 0) offset = this.#searchRange(l, order, group, Math.min(hint, end));
      if (offset >= 0) return this.#extendReach(level, l, offset);
    }
    for (let l = level; l < g.levels; l++) {
      const home = homeOf(cells, g, this.#pos, l);
      const end = endOf(cells, this.#reach + l, g.count[l]);
      const hint = Math.min(end, Math.max(home, this.#hintFor(l === level ? order : l * ORDERS_PER_LEVEL)));
      offset = this.#searchRange(l, order, hint, end);
      if (offset < 0) offset = this.#searchRange(l, order, home, hint);
      if (offset >= 0) return this.#extendReach(level, l, offset);
    }
    offset = this.#searchBeyond(level, order);
    return offset < 0 ? this.#searchAll(level, order) : this.#extendReach(level, g.levels, offset);
  }

  /**
   * Allocates beyond the reach: opens the lowest word from home on, for that is closest to the reach; or takes room of
   * words beyond it; or below home. -1 if the index shows no room.
   */
  #searchBeyond(level: number, order: number): number {
    const { cells, g } = this;
    let offset = -1;
    for (let l = level + 1; offset < 0 && l < g.levels; l++)
      offset = this.#searchRange(l, order, homeOf(cells, g, this.#pos, l), g.count[l]);
    const end = endOf(cells, this.#reach + level, g.count[level]);
    if (offset < 0) offset = this.#searchRange(level, order, end, g.count[level]);
    for (let l = level; offset < 0 && l < g.levels; l++)
      offset = this.#searchRange(l, order, 0, homeOf(cells, g, this.#pos, l));
    return offset;
  }

  /** Extends the reach in the levels from `from` up to `to` to the words that hold `offset`. Returns `offset`. */
  #extendReach(from: number, to: number, offset: number): number {
    for (let l = from; l < to; l++) extendTo(this.cells, this.#reach + l, wordOf(l, offset));
    return offset;
  }

  /** Allocates in `word` of the order's level if it is closed and lies in a free block: opens it again. -1 if not. */
  #reopen(word: number, order: number): number {
    const { cells, g } = this;
    const level = order >>> 2;
    let l = level;
    for (let w = word; l < g.levels && cells.read(g.words[l] + w) === CLOSED; w >>>= FANOUT_BITS) l++;
    return l === level || l === g.levels ? -1 : this.#open(l, word, order);
  }

  /** Allocates in a word of `level`, from `from` up to `to`, that has room by the index. -1 if there is none. */
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
   * Allocates wherever there is room, whatever the index says: closes all empty words of lower levels, then looks at
   * each open word once. Returns -1 only if no block that fits was free from the beginning of this call to its end.
   */
  #searchAll(level: number, order: number): number {
    const { cells, g } = this;
    for (let slot = 1; slot <= g.slots; slot++) this.closeHints(slot, ORDERS_PER_LEVEL * level);
    for (let l = level; l < g.levels; l++) {
      const r = l === level ? order & 3 : 0;
      for (let word = this.#nextOpen(l, 0); word < g.count[l]; word = this.#nextOpen(l, word + 1)) {
        const value = cells.load(g.words[l] + word);
        if (value === CLOSED || runStarts(freeOf(value), r) === 0) continue;
        const offset = this.#takeIn(l, word, order);
        if (offset >= 0) {
          refresh(cells, g, l, word);
          return offset;
        }
      }
    }
    return -1;
  }

  /**
   * The first open word of `level` from `word` on; the number of words or more if there is none. Passes the words
   * below a child that is not subdivided in one step: below a large block, or behind the frontier of a heap. A word
   * that stays open during this call is not passed, because all words above it stay open, and their children there
   * stay subdivided.
   */
  #nextOpen(level: number, word: number): number {
    const { cells, g } = this;
    while (word < g.count[level] && cells.load(g.words[level] + word) === CLOSED) {
      let l = level + 1;
      let above = word >>> FANOUT_BITS;
      while (l < g.levels && cells.load(g.words[l] + above) === CLOSED) {
        l++;
        above >>>= FANOUT_BITS;
      }
      if (l === g.levels) return g.count[level]; // damaged: the top word is open
      const value = cells.load(g.words[l] + above);
      const child = (word >>> (FANOUT_BITS * (l - level - 1))) & 15;
      const behind = value === CLOSED ? 0 : contOf(value) & ~usedOf(value) & (-2 << child);
      const next = behind === 0 ? (above + 1) << FANOUT_BITS : (above << FANOUT_BITS) | lowestBit(behind);
      word = next << (FANOUT_BITS * (l - level - 1));
    }
    return word;
  }

  /** Allocates in `word` of `level`: takes a run, or opens a free child if the order belongs to a lower level. */
  #takeIn(level: number, word: number, order: number): number {
    const { cells, g } = this;
    const above = level - (order >>> 2);
    if (above === 0) {
      const offset = this.#take(level, word, order & 3);
      if (offset >= 0) this.#moveHint(order, word);
      return offset;
    }
    for (;;) {
      const value = cells.read(g.words[level] + word);
      if (value === CLOSED) return -1;
      const free = freeOf(value);
      if (free === 0) return -1;
      const child = (word << FANOUT_BITS) | lowestBit(free);
      if (!isWord(g, level - 1, child)) return -1; // damaged: such a child is always in use
      const offset = this.#open(level, child << (FANOUT_BITS * (above - 1)), order);
      if (offset >= 0) return offset;
    }
  }

  /**
   * Opens the words below an open word of level `from`, down to word `target` of the order's level, and allocates at
   * the start of that word. Returns the offset; -1 if the child that contains the target is not free.
   */
  #open(from: number, target: number, order: number): number {
    const { cells, g } = this;
    const level = order >>> 2;
    const offset = target << (FANOUT_BITS * (level + 1));
    let word = target >>> (FANOUT_BITS * (from - level));
    let child = target >>> (FANOUT_BITS * (from - level - 1));
    const pos = g.words[from] + word;
    for (;;) {
      const value = cells.read(pos);
      if (value === CLOSED || ((freeOf(value) >>> (child & 15)) & 1) === 0) return -1;
      if (this.#tracked) announce(cells, g, this.slot, offset);
      if (cells.cas(pos, value, value ^ subdivisionMask(child & 15))) break;
    }
    // Top down: each word that is stored is complete, and only the word below it is still in transit.
    for (let l = from - 1; l > level; l--) {
      word = child;
      child = target >>> (FANOUT_BITS * (l - level - 1));
      cells.store(g.words[l] + word, EMPTY ^ subdivisionMask(child & 15));
    }
    cells.store(g.words[level] + target, EMPTY ^ blockMask(order & 3, 0));
    if (this.#tracked) noteOwner(cells, g, offset, this.slot);
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

  /** Makes `word` the hint for `order`. Closes the former hint if it is empty and not the hint for another order. */
  #moveHint(order: number, word: number): void {
    const { cells, g } = this;
    const pos = this.#hints + order;
    const old = cells.read(pos);
    if (old === word) return;
    const level = order >>> 2;
    // Before the hint moves: at every moment, an open word that is empty is the hint of some worker.
    if (
      isWord(g, level, old) &&
      cells.read(g.words[level] + old) === EMPTY &&
      !this.#isHint(level, old, order & 3)
    ) {
      this.#close(level, old, true);
    }
    cells.write(pos, word);
  }

  /** The word in which this worker looks first for `order`. */
  #hintFor(order: number): number {
    const word = this.cells.read(this.#hints + order);
    return isWord(this.g, order >>> 2, word) ? word : 0;
  }

  /** Closes a word that was found open and empty, unless another worker has taken a block in it meanwhile. */
  #close(level: number, word: number, keep: boolean): void {
    if (this.#tracked) announce(this.cells, this.g, this.slot, word << (FANOUT_BITS * (level + 1)));
    if (this.cells.cas(this.g.words[level] + word, EMPTY, CLOSED)) this.closeUp(level, word, keep);
  }

  /** Whether `word` of `level` is this worker's hint for an order of that level, other than order `except`, 0 … 3. */
  #isHint(level: number, word: number, except = -1): boolean {
    const hints = this.#hints + ORDERS_PER_LEVEL * level;
    for (let r = 0; r < ORDERS_PER_LEVEL; r++) {
      if (r !== except && this.cells.read(hints + r) === word) return true;
    }
    return false;
  }
}
