// DebugHeap: a Heap that finds a program's memory bugs. Each of its blocks lies, with red zones, in one of Heap's
// blocks.

import { checkBoolean, checkInteger, checkObject, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { ReturningMap } from '../base/returning-map.ts';
import type { HeapStats } from '../heap/abstract.ts';
import { blockHolding, type MemoryBlock, pointerOf } from '../heap/bookkeeping.ts';
import { Heap, regionOf } from '../heap/heap.ts';
import { ADDRESSABLE, bytesOf } from '../heap/memory.ts';
import type { HeapOptions } from '../heap/options.ts';
import {
  type ArrayConstructor,
  elementSize,
  type HeapView,
  makeView,
  type Plain,
  typeOf,
  type ViewOf,
} from '../heap/views.ts';
import { type DebugBlock, damageOf, describe, historyOf, paint, UNWRITTEN } from './block.ts';
import { type Leak, reportOf } from './leaks.ts';
import { Quarantine } from './quarantine.ts';
import { captureSite, framesOf } from './site.ts';

/** What a {@link DebugHeap} is made with, besides what a Heap is made with. Sizes are bytes. */
export interface DebugHeapOptions<B extends ArrayBufferLike = ArrayBufferLike> extends HeapOptions<B> {
  /** Least size of the red zone on either side of a block, rounded up to a unit: from 1 to 2^30; 16 unless given. */
  readonly redZone?: number;
  /**
   * How much memory freed blocks may take, red zones included, before the first of them are allocated again; 2^20
   * unless given.
   */
  readonly quarantine?: number;
}

/** A method of this class: the frames of its callers are those of the program. */
type Entry = (...args: never[]) => unknown;

/**
 * Codes for a pointer to a freed block: if it is freed or measured, as Heap has it, and if a view of it is asked for.
 */
type StaleCode = 'NOT_ALLOCATED' | 'USE_AFTER_FREE';

const LARGEST_RED_ZONE = 2 ** 30;

/**
 * A {@link Heap} that finds memory bugs: writes beside blocks and into freed blocks, double frees, frees of pointers
 * that are not blocks, views of freed blocks, reads of bytes that were never written, and leaks, each with the stacks
 * that explain it.
 *
 * All methods do what Heap's do, with these differences:
 * - `malloc` fills a block with 0xCD and `free` with 0xDD. On both sides of a block is a red zone of 0xFD. A freed
 *   block stays in quarantine for a time, in which it is not allocated again.
 * - A block has exactly the bytes that were asked for: `usableSize` says so, and `view` allows no more. Its address is
 *   a multiple of the unit, or of the alignment that was asked for, and of no more.
 * - `realloc` always moves, as long as there is room, since a program must not count on its staying.
 * - `free`, `realloc` and `clear` throw `REDZONE` for damage to the red zones of the blocks that they free. Those and
 *   the allocating methods throw `REDZONE` or `USE_AFTER_FREE` for damage to a block that leaves the quarantine. An
 *   error names one damage, which is painted over, so that the call does its work when it is made again. Nothing else
 *   has changed.
 *
 * What it knows of blocks lies outside the memory, so there is no `attach`. Time and memory: two captures of the stack,
 * the filling and the checking of all its bytes for each block, and up to three times the memory for small blocks,
 * besides the quarantine.
 */
export class DebugHeap<B extends ArrayBufferLike = ArrayBuffer> extends Heap<B> {
  /** All blocks, live or in quarantine, by their base, in the order in which they were allocated. */
  readonly #blocks = new ReturningMap<DebugBlock>();
  readonly #quarantine: Quarantine;
  readonly #redZone: number;
  readonly #throwNoRoom: boolean;
  /** The blocks of the views that this heap has made. */
  readonly #views = new WeakMap<ArrayBufferView, DebugBlock>();

  /**
   * A heap in which nothing is allocated.
   *
   * @throws TypeError, RangeError as the constructor of Heap, and for `redZone` and `quarantine`.
   */
  constructor(options: DebugHeapOptions<B>) {
    // All is checked before the heap is made, as that overwrites what was in the memory.
    const { redZone = 16, quarantine = 2 ** 20, throwNoRoom = false } = checkObject('options', options);
    checkWithin('redZone', redZone, 1, LARGEST_RED_ZONE);
    checkInteger('quarantine', quarantine);
    checkBoolean('throwNoRoom', throwNoRoom);
    // This class throws itself, once it has emptied its quarantine.
    super({ ...options, throwNoRoom: false });
    this.#throwNoRoom = throwNoRoom;
    this.#redZone = roundUp(redZone, this.unit);
    this.#quarantine = new Quarantine(quarantine);
  }

  /**
   * Not for this class: what a DebugHeap knows of its blocks is not in the memory.
   *
   * @throws TypeError always.
   */
  static override attach(): never {
    throw new TypeError(
      'a memory does not say where the red zones of a DebugHeap are: use Heap.attach, or make a new DebugHeap',
    );
  }

  override malloc(bytes: number): number {
    return pointerTo(this.#allocate(this.unit, bytes, UNWRITTEN, DebugHeap.prototype.malloc));
  }

  override calloc(count: number, size: number): number {
    return pointerTo(this.#allocateZeros(count, size, DebugHeap.prototype.calloc));
  }

  override alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo('alignment', alignment, 1, ADDRESSABLE);
    const multiple = Math.max(alignment, this.unit);
    return pointerTo(this.#allocate(multiple, bytes, UNWRITTEN, DebugHeap.prototype.alignedAlloc));
  }

  override realloc(ptr: number, bytes: number): number {
    const entry = DebugHeap.prototype.realloc;
    return pointerTo(
      ptr === 0
        ? this.#allocate(this.unit, bytes, UNWRITTEN, entry)
        : this.#reallocate(this.#blockOf(ptr), bytes, entry),
    );
  }

  override free(ptr: number | ArrayBufferView, size?: number): void {
    if (ptr === 0) return;
    const block = typeof ptr === 'number' ? this.#blockOf(ptr) : this.#blockOfView(ptr);
    if (size !== undefined && checkInteger('size', size) !== block.size) {
      throw new RangeError(`${describe(block)} has not ${size} bytes${historyOf(block)}`);
    }
    this.#makeWay(block);
    this.#bury(block, DebugHeap.prototype.free);
  }

  /** Bytes of the block at `ptr`: what was asked for. */
  override usableSize(ptr: number): number {
    return this.#blockOf(ptr).size;
  }

  /** As {@link usableSize}, whether the heap keeps sizes or not. */
  override lengthOf(ptr: number): number {
    return this.#blockOf(ptr).size;
  }

  /** As {@link Heap.blockOf}, of the bytes that were asked for; undefined in a red zone and in quarantine. */
  override blockOf(ptr: number): MemoryBlock | undefined {
    const found = super.blockOf(ptr);
    const block = found === undefined ? undefined : this.#blocks.get(found.ptr);
    if (block === undefined || block.freed !== undefined) return undefined;
    const { ptr: first, size } = block;
    return ptr >= first && ptr < first + size ? { ptr: first, size } : undefined;
  }

  override isAllocated(ptr: number): boolean {
    if (checkInteger('pointer', ptr) >= regionOf(this).attached().end) return false;
    try {
      this.#blockOf(ptr);
      return true;
    } catch (error) {
      if (error instanceof BuddyError && (error.code === 'NOT_ALLOCATED' || error.code === 'INTERIOR'))
        return false;
      throw error;
    }
  }

  override allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null {
    const bytes = bytesOf(checkInteger('length', length), elementSize(type));
    const block = this.#allocate(this.unit, bytes, UNWRITTEN, DebugHeap.prototype.allocArray);
    return this.#viewOf(block, type, length);
  }

  override callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C, B> | null {
    const block = this.#allocateZeros(length, elementSize(type), DebugHeap.prototype.callocArray);
    return this.#viewOf(block, type, length);
  }

  override reallocArray<V extends HeapView>(view: V, length: number): Plain<V, B> | null {
    const block = this.#blockOfView(view);
    const type = typeOf(view);
    const bytes = bytesOf(checkInteger('length', length), elementSize(type));
    const moved = this.#reallocate(block, bytes, DebugHeap.prototype.reallocArray);
    return this.#viewOf(moved, type, length) as Plain<V, B> | null;
  }

  /**
   * A view on part of a live block, as {@link Heap.view}.
   *
   * @throws BuddyError `USE_AFTER_FREE` if the block is freed and in quarantine.
   */
  override view<C extends ArrayConstructor>(ptr: number, type: C, length?: number): ViewOf<C, B> {
    const size = elementSize(type);
    const block = this.#liveAt(ptr, 'USE_AFTER_FREE');
    const bytes = block.ptr + block.size - ptr;
    if (ptr < block.ptr || bytes < 0) {
      throw new RangeError(`byte ${ptr} is in a red zone of ${describe(block)}${historyOf(block)}`);
    }
    const room = Math.floor(bytes / size);
    const count = length === undefined ? room : checkWithin('length', length, 0, room);
    const view = super.view(ptr, type, count);
    this.#views.set(view, block);
    return view;
  }

  /** As {@link Heap.trim}, after the quarantine has been emptied. */
  override trim(): number {
    this.#evictAll();
    return super.trim();
  }

  override clear(): void {
    for (const block of this.#blocks.values()) this.#inspect(block);
    this.#blocks.clear();
    this.#quarantine.clear();
    super.clear();
  }

  /**
   * As {@link Heap.blocks}, but the pointers and the bytes that were asked for. Blocks in quarantine are left out.
   */
  override blocks(): Generator<MemoryBlock, void, undefined> {
    return this.#asProgramsSee(super.blocks());
  }

  /**
   * As {@link Heap.stats}. Bytes in red zones and in quarantine count as used; blocks in quarantine do not count as
   * live.
   */
  override stats(): HeapStats {
    const stats = super.stats();
    return { ...stats, liveBlocks: stats.liveBlocks - this.#quarantine.size };
  }

  /** All live blocks, in the order in which they were allocated. O(blocks). */
  leaks(): Leak[] {
    return this.#blocks
      .values()
      .filter(({ freed }) => freed === undefined)
      .map(({ ptr, size, allocated }) => ({ ptr, size, stack: framesOf(allocated) }));
  }

  /** The {@link leaks} as text: a line of totals, then each place that allocated some, with the most bytes first. */
  report(): string {
    return reportOf(this.leaks());
  }

  /**
   * Looks at all red zones, and at all bytes in quarantine. It changes nothing, so a second call finds the same damage
   * again. O(blocks + bytes looked at).
   *
   * @returns an error `REDZONE` or `USE_AFTER_FREE` for each damaged block; none if all is well.
   */
  verify(): BuddyError[] {
    return this.#blocks.values().flatMap((block) => damageOf(this.buffer, block) ?? []);
  }

  /** The live ones of the `blocks` of Heap, without their red zones. */
  *#asProgramsSee(blocks: Iterable<MemoryBlock>): Generator<MemoryBlock, void, undefined> {
    for (const block of blocks) {
      const mine = this.#blocks.get(block.ptr);
      if (mine?.freed === undefined && mine !== undefined) yield { ptr: mine.ptr, size: mine.size };
    }
  }

  /** As `#tryAllocate`, but throws if there is no room and the heap was made to. */
  #allocate(alignment: number, bytes: number, fill: number, entry: Entry): DebugBlock | undefined {
    return this.#tryAllocate(alignment, bytes, fill, entry) ?? this.#noRoom(bytes);
  }

  #noRoom(bytes: number): undefined {
    if (this.#throwNoRoom) throw new BuddyError('NO_ROOM', `the heap has no room for ${bytes} bytes`);
    return undefined;
  }

  /** A block of `bytes` bytes at a multiple of `alignment`; undefined if there is no room. */
  #tryAllocate(alignment: number, bytes: number, fill: number, entry: Entry): DebugBlock | undefined {
    const front = roundUp(this.#redZone, alignment);
    const total = front + checkInteger('bytes', bytes) + this.#redZone;
    let base = super.alignedAlloc(alignment, total);
    if (base === 0 && this.#quarantine.size > 0) {
      this.#evictAll();
      base = super.alignedAlloc(alignment, total);
    }
    if (base === 0) return undefined;
    const { buffer } = this;
    if (buffer.byteLength < this.end) {
      // The memory was cut.
      super.free(base);
      regionOf(this).refresh();
    }
    const block: DebugBlock = {
      base,
      ptr: base + front,
      size: bytes,
      end: base + super.usableSize(base),
      alignment,
      allocated: captureSite(entry),
      freed: undefined,
    };
    this.#blocks.set(base, block);
    new Uint8Array(buffer, block.ptr, bytes).fill(fill);
    paint(buffer, block);
    return block;
  }

  /** A block of `count * size` zeros; undefined if there is no room. */
  #allocateZeros(count: number, size: number, entry: Entry): DebugBlock | undefined {
    const bytes = bytesOf(checkInteger('count', count), checkInteger('size', size));
    return this.#allocate(this.unit, bytes, 0, entry);
  }

  /** Another block of `bytes` bytes with the content of `block`, which is freed; undefined if there is no room. */
  #reallocate(block: DebugBlock, bytes: number, entry: Entry): DebugBlock | undefined {
    checkInteger('bytes', bytes);
    this.#makeWay(block);
    const moved = this.#tryAllocate(block.alignment, bytes, UNWRITTEN, entry);
    if (moved === undefined) return bytes <= block.size ? this.#shrink(block, bytes) : this.#noRoom(bytes);
    new Uint8Array(this.buffer).copyWithin(moved.ptr, block.ptr, block.ptr + Math.min(bytes, block.size));
    this.#bury(block, entry);
    return moved;
  }

  /** Gives up all but the first `bytes` bytes of `block`, where it lies. */
  #shrink(block: DebugBlock, bytes: number): DebugBlock {
    block.size = bytes;
    paint(this.buffer, block);
    return block;
  }

  /**
   * Does the part of a free that may throw: the checks of `block` and of the blocks that leave the quarantine for it.
   */
  #makeWay(block: DebugBlock): void {
    this.#inspect(block);
    while (this.#quarantine.isFullFor(block)) this.#evictOldest();
  }

  /** Frees `block`, for which {@link #makeWay} was called. */
  #bury(block: DebugBlock, entry: Entry): void {
    block.freed = captureSite(entry);
    paint(this.buffer, block);
    if (this.#quarantine.admits(block)) this.#quarantine.add(block);
    else this.#giveBack(block);
  }

  #evictAll(): void {
    while (this.#quarantine.size > 0) this.#evictOldest();
  }

  #evictOldest(): void {
    const block = this.#quarantine.oldest as DebugBlock;
    this.#inspect(block);
    this.#quarantine.removeOldest();
    this.#giveBack(block);
  }

  #giveBack(block: DebugBlock): void {
    this.#blocks.delete(block.base);
    super.free(block.base);
  }

  /** Throws if `block` is damaged, once. */
  #inspect(block: DebugBlock): void {
    const damage = damageOf(this.buffer, block);
    if (damage === undefined) return;
    paint(this.buffer, block);
    throw damage;
  }

  /** The live block whose first byte is at `ptr`. */
  #blockOf(ptr: number): DebugBlock {
    const block = this.#liveAt(ptr, 'NOT_ALLOCATED');
    if (ptr === block.ptr) return block;
    throw new BuddyError(
      'INTERIOR',
      `byte ${ptr} is not the first of ${describe(block)}, but in it or its red zones${historyOf(block)}`,
    );
  }

  /** The live block at which `view` begins. Refuses a view that this heap made for an earlier block there. */
  #blockOfView(view: ArrayBufferView): DebugBlock {
    const ptr = pointerOf(regionOf(this), view);
    const block = this.#blockOf(ptr);
    const viewed = this.#views.get(view) ?? block;
    if (viewed === block) return block;
    throw new BuddyError(
      'NOT_ALLOCATED',
      `the view is of ${describe(viewed)}, which is freed; byte ${ptr} is in another block now${historyOf(viewed)}`,
    );
  }

  /** The live block with `ptr` in it or in its red zones. */
  #liveAt(ptr: number, code: StaleCode): DebugBlock {
    // Every block of Heap's is one of this class's, live or in quarantine.
    const block = this.#blocks.get(blockHolding(regionOf(this).attached(), ptr).ptr) as DebugBlock;
    if (block.freed === undefined) return block;
    throw new BuddyError(code, `byte ${ptr} is in ${describe(block)}, which is freed${historyOf(block)}`);
  }

  /**
   * A view of all of `block`, of which the heap takes note; null for no block. If there can be no view, as from a
   * constructor that throws, the block is freed.
   */
  #viewOf<C extends ArrayConstructor>(
    block: DebugBlock | undefined,
    type: C,
    length: number,
  ): ViewOf<C, B> | null {
    if (block === undefined) return null;
    try {
      const view = makeView(type, this.buffer, block.ptr, length);
      this.#views.set(view, block);
      return view;
    } catch (error) {
      this.#giveBack(block);
      throw error;
    }
  }
}

/** The pointer to `block`; 0 for none. */
function pointerTo(block: DebugBlock | undefined): number {
  return block?.ptr ?? 0;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
