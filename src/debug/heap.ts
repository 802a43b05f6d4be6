// DebugHeap: a Heap that finds a program's memory bugs. Each of its blocks lies, with red zones, in one of Heap's.

import { checkInteger, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import type { HeapStats } from '../heap/abstract.ts';
import { Heap } from '../heap/heap.ts';
import { ADDRESSABLE, bytesOf } from '../heap/memory.ts';
import type { HeapOptions } from '../heap/region.ts';
import { type ArrayConstructor, elementSize, type HeapView, type Plain, type ViewOf } from '../heap/views.ts';
import { type DebugBlock, damageOf, describe, historyOf, paint, UNWRITTEN } from './block.ts';
import { type Leak, reportOf } from './leaks.ts';
import { addressOf, generationOf, LAST_GENERATION, pointer } from './pointer.ts';
import { Quarantine } from './quarantine.ts';
import { captureSite, framesOf } from './site.ts';

/** What a {@link DebugHeap} is made with, besides what a Heap is. Sizes are bytes. */
export interface DebugHeapOptions extends HeapOptions {
  /** Least size of the red zone on either side of a block, rounded up to a unit: from 1 to 2^30, 16 unless given. */
  readonly redZone?: number;
  /** How much memory freed blocks may take, red zones included, before the first of them are allocated again: 2^20 unless given. */
  readonly quarantine?: number;
  /**
   * Whether all pointers that the heap gives carry a generation, as {@link DebugHeap.checked} gives it to one. Not unless given:
   * such pointers must not be used as indices of the memory as they are.
   */
  readonly generations?: boolean;
}

/** A function whose callers a stack is to begin with. */
type Entry = (...args: never[]) => unknown;

/** Codes for a pointer to a freed block: when it is freed or measured, as Heap has it, and when its bytes are asked for. */
type StaleCode = 'NOT_ALLOCATED' | 'USE_AFTER_FREE';

const LARGEST_RED_ZONE = 2 ** 30;

/**
 * A {@link Heap} that finds memory bugs: writes beside blocks and into freed blocks, double frees, frees of what is no
 * block, views of freed blocks, reads of what was never written, and leaks, each with the stacks that tell whose they are.
 *
 * All methods do what Heap's do, with these differences:
 * - `malloc` fills a block with 0xCD and `free` with 0xDD. On both sides of a block is a red zone of 0xFD. A freed block
 *   stays in quarantine for a time, in which it is not allocated again.
 * - A block has exactly the bytes that were asked for: `usableSize` says so, and `view` allows no more. Its address is a
 *   multiple of the unit, or of the alignment that was asked for, and of no more.
 * - `realloc` always moves, as long as there is room, since a program must not count on its staying.
 * - `free`, `realloc` and `clear` throw `REDZONE` for damage to the red zones of what they free. Those and the allocating
 *   methods throw `REDZONE` or `USE_AFTER_FREE` for damage to a block that leaves the quarantine. An error names one damage,
 *   which is painted over, so that the call does its work when it is made again. Nothing else has changed.
 *
 * What it knows of blocks lies outside the memory: a copy of an embedded heap is attached to as a plain Heap, and its
 * blocks are then those with red zones. Time and memory: a capture of the stack, the filling and the checking of all its
 * bytes for each block, and up to twice the memory or more for small blocks, besides the quarantine.
 */
export class DebugHeap extends Heap {
  /** All blocks, live or in quarantine, by their end, in the order in which they were allocated. */
  readonly #blocks = new Map<number, DebugBlock>();
  readonly #quarantine: Quarantine;
  readonly #redZone: number;
  readonly #generations: boolean;
  /** The last generation that was given out. */
  #generation = 0;
  /** Generations of the blocks that views are of. */
  readonly #views = new WeakMap<ArrayBufferView, number>();
  /** The method of this class that Heap's code is called from, while it is: it gets plain addresses. */
  #caller: Entry | undefined;

  /**
   * A heap in which nothing is allocated.
   *
   * @throws TypeError, RangeError as the constructor of Heap, and for `redZone` and `quarantine`.
   */
  constructor(options: DebugHeapOptions) {
    super(options);
    const { redZone = 16, quarantine = 2 ** 20, generations = false } = options;
    this.#redZone = roundUp(checkWithin('redZone', redZone, 1, LARGEST_RED_ZONE), this.unit);
    this.#quarantine = new Quarantine(checkInteger('quarantine', quarantine));
    this.#generations = generations;
  }

  override malloc(bytes: number): number {
    return this.#pointerTo(this.#allocate(this.unit, bytes, UNWRITTEN, DebugHeap.prototype.malloc));
  }

  override calloc(count: number, size: number): number {
    const bytes = bytesOf(checkInteger('count', count), checkInteger('size', size));
    const block = this.#allocate(this.unit, bytes, 0, DebugHeap.prototype.calloc);
    return this.#pointerTo(block);
  }

  override alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo('alignment', alignment, 1, ADDRESSABLE);
    const multiple = Math.max(alignment, this.unit);
    return this.#pointerTo(this.#allocate(multiple, bytes, UNWRITTEN, DebugHeap.prototype.alignedAlloc));
  }

  override realloc(ptr: number, bytes: number): number {
    const entry = DebugHeap.prototype.realloc;
    if (ptr === 0) return this.#pointerTo(this.#allocate(this.unit, bytes, UNWRITTEN, entry));
    const block = this.#blockOf(ptr);
    checkInteger('bytes', bytes);
    this.#makeWay(block);
    const moved = this.#allocate(block.alignment, bytes, UNWRITTEN, entry);
    if (moved === undefined) return bytes <= block.size ? this.#shrink(block, bytes) : 0;
    new Uint8Array(this.buffer).copyWithin(moved.ptr, block.ptr, block.ptr + Math.min(bytes, block.size));
    this.#bury(block, entry);
    return this.#pointerTo(moved);
  }

  override free(ptr: number | ArrayBufferView): void {
    if (ptr === 0) return;
    const block = this.#blockOf(typeof ptr === 'number' ? ptr : this.#pointerOf(ptr));
    this.#makeWay(block);
    this.#bury(block, DebugHeap.prototype.free);
  }

  /** Bytes of the block at `ptr`: what was asked for. */
  override usableSize(ptr: number): number {
    return this.#blockOf(ptr).size;
  }

  override isAllocated(ptr: number): boolean {
    try {
      this.#blockOf(ptr);
      return true;
    } catch (error) {
      if (error instanceof BuddyError && (error.code === 'NOT_ALLOCATED' || error.code === 'INTERIOR'))
        return false;
      throw error;
    }
  }

  override allocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C> | null {
    return this.#viewing(DebugHeap.prototype.allocArray, () => super.allocArray(type, length));
  }

  override callocArray<C extends ArrayConstructor>(type: C, length: number): ViewOf<C> | null {
    return this.#viewing(DebugHeap.prototype.callocArray, () => super.callocArray(type, length));
  }

  override reallocArray<V extends HeapView>(view: V, length: number): Plain<V> | null {
    this.#blockOf(this.#pointerOf(view));
    return this.#viewing(DebugHeap.prototype.reallocArray, () => super.reallocArray(view, length));
  }

  /**
   * A view on part of a live block, as {@link Heap.view}.
   *
   * @throws BuddyError `USE_AFTER_FREE` when the block is freed: always for a {@link checked} pointer, for another as
   * long as the block is in quarantine.
   */
  override view<C extends ArrayConstructor>(ptr: number, type: C, length?: number): ViewOf<C> {
    const size = elementSize(type);
    const block = this.#liveAt(ptr, 'USE_AFTER_FREE');
    const address = addressOf(ptr);
    const bytes = block.ptr + block.size - address;
    if (address < block.ptr || bytes < 0) {
      throw new RangeError(`byte ${address} is in a red zone of ${describe(block)}${historyOf(block)}`);
    }
    const room = Math.floor(bytes / size);
    const count = length === undefined ? room : checkWithin('length', length, 0, room);
    const view = super.view(address, type, count);
    this.#views.set(view, block.generation);
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

  /** As {@link Heap.stats}. Bytes count red zones and the quarantine as used; blocks in quarantine are none that live. */
  override stats(): HeapStats {
    const stats = super.stats();
    return { ...stats, liveBlocks: stats.liveBlocks - this.#quarantine.size };
  }

  /**
   * The pointer `ptr` to a live block, carrying the block's generation: once the block is freed, every method refuses it, even
   * when its memory is another block's. It is an integer above 2^32 which modulo 2^32, as `ptr >>> 0`, is the address, and
   * can be counted up like any pointer. Generations repeat after 2^21 - 1 allocations. O(log size).
   *
   * @throws what {@link Heap.usableSize} throws.
   */
  checked(ptr: number): number {
    const block = this.#blockOf(ptr);
    return pointer(block.ptr, block.generation);
  }

  /** All blocks that are live, in the order in which they were allocated. O(blocks). */
  leaks(): Leak[] {
    return [...this.#blocks.values()]
      .filter(({ freed }) => freed === undefined)
      .map((block) => ({
        ptr: this.#pointerTo(block),
        size: block.size,
        stack: framesOf(block.allocated),
      }));
  }

  /** The {@link leaks} as text: a line of totals, then each place that allocated some, with the most bytes first. */
  report(): string {
    return reportOf(this.leaks());
  }

  /**
   * Looks at all red zones, and at all bytes in quarantine. Changes nothing: what it finds, it finds again.
   * O(blocks + bytes looked at).
   *
   * @returns an error `REDZONE` or `USE_AFTER_FREE` for each block that has damage; none when all is well.
   */
  verify(): BuddyError[] {
    return [...this.#blocks.values()].flatMap((block) => damageOf(this.buffer, block) ?? []);
  }

  /** A block of `bytes` bytes at a multiple of `alignment`; undefined when there is no room. */
  #allocate(alignment: number, bytes: number, fill: number, entry: Entry): DebugBlock | undefined {
    const front = roundUp(this.#redZone, alignment);
    // A block of Heap's lies at a multiple of its size, which is at least the alignment here.
    const total = front + checkInteger('bytes', bytes) + this.#redZone;
    let base = super.malloc(total);
    if (base === 0 && this.#quarantine.size > 0) {
      this.#evictAll();
      base = super.malloc(total);
    }
    if (base === 0) return undefined;
    this.#generation = (this.#generation % LAST_GENERATION) + 1;
    const block: DebugBlock = {
      base,
      ptr: base + front,
      size: bytes,
      end: base + super.usableSize(base),
      alignment,
      generation: this.#generation,
      allocated: captureSite(this.#caller ?? entry),
      freed: undefined,
    };
    const { buffer } = this;
    this.#blocks.set(block.end, block);
    new Uint8Array(buffer, block.ptr, bytes).fill(fill);
    paint(buffer, block);
    return block;
  }

  /** Gives up the bytes beyond the first `bytes` where the block lies. */
  #shrink(block: DebugBlock, bytes: number): number {
    block.size = bytes;
    paint(this.buffer, block);
    return this.#pointerTo(block);
  }

  /** Does what may throw before `block` is freed: the checks of it and of what has to leave the quarantine for it. */
  #makeWay(block: DebugBlock): void {
    this.#inspect(block);
    for (const oldest of this.#quarantine.leavingFor(block)) this.#evict(oldest);
  }

  /** Frees `block`, for which there is a way. */
  #bury(block: DebugBlock, entry: Entry): void {
    block.freed = captureSite(this.#caller ?? entry);
    paint(this.buffer, block);
    if (this.#quarantine.admits(block)) this.#quarantine.add(block);
    else this.#giveBack(block);
  }

  #evictAll(): void {
    for (const block of this.#quarantine) this.#evict(block);
  }

  #evict(block: DebugBlock): void {
    this.#inspect(block);
    this.#quarantine.remove(block);
    this.#giveBack(block);
  }

  #giveBack(block: DebugBlock): void {
    this.#blocks.delete(block.end);
    super.free(block.base);
  }

  /** Throws when there is damage to `block`, once. */
  #inspect(block: DebugBlock): void {
    const damage = damageOf(this.buffer, block);
    if (damage === undefined) return;
    paint(this.buffer, block);
    throw damage;
  }

  /** The live block that `ptr` points to the first byte of. */
  #blockOf(ptr: number): DebugBlock {
    const block = this.#liveAt(ptr, 'NOT_ALLOCATED');
    const address = addressOf(ptr);
    if (address === block.ptr) return block;
    throw new BuddyError(
      'INTERIOR',
      `byte ${address} is not the first of ${describe(block)}, but in it or its red zones${historyOf(block)}`,
    );
  }

  /** The live block with `ptr` in it or in its red zones. */
  #liveAt(ptr: number, code: StaleCode): DebugBlock {
    const generation = generationOf(ptr);
    const address = addressOf(ptr);
    let block: DebugBlock;
    try {
      block = this.#blockAt(address);
    } catch (error) {
      if (generation === 0 || (error instanceof BuddyError && error.code === 'DETACHED')) throw error;
      throw new BuddyError(code, `byte ${address} was in a block that is freed, and is free`);
    }
    if (generation !== 0 && generation !== block.generation) {
      throw new BuddyError(
        code,
        `byte ${address} was in a block that is freed, and is now in ${describe(block)}${historyOf(block)}`,
      );
    }
    if (block.freed === undefined) return block;
    throw new BuddyError(code, `byte ${address} is in ${describe(block)}, which is freed${historyOf(block)}`);
  }

  /** The block, live or in quarantine, with `address` in it or in its red zones. Throws as Heap when there is none. */
  #blockAt(address: number): DebugBlock {
    const { byteOffset, byteLength } = super.view(address, Uint8Array);
    return this.#blocks.get(byteOffset + byteLength) as DebugBlock;
  }

  /** What a method returns for `block`; 0 for none. */
  #pointerTo(block: DebugBlock | undefined): number {
    if (block === undefined) return 0;
    return pointer(block.ptr, this.#generations && this.#caller === undefined ? block.generation : 0);
  }

  /** Where `view`, one on this heap's memory, begins, with the generation of the block that it was made for. */
  #pointerOf(view: ArrayBufferView): number {
    return pointer(super.pointerOf(view), this.#views.get(view) ?? 0);
  }

  /** What Heap's code, called from `caller`, returns as the view of a block. */
  #viewing<V extends ArrayBufferView>(caller: Entry, make: () => V | null): V | null {
    this.#caller = caller;
    try {
      const view = make();
      if (view !== null) this.#views.set(view, this.#blockAt(view.byteOffset).generation);
      return view;
    } finally {
      this.#caller = undefined;
    }
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
