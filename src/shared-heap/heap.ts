// SharedHeap: malloc and its family over shared memory, for up to 252 workers at once, without locks.

import { checkInteger, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { AbstractHeap, type HeapStats } from '../heap/abstract.ts';
import { blockSize, checkFreedSize, misuse, pointerOf } from '../heap/bookkeeping.ts';
import { ADDRESSABLE, type HeapHandle } from '../heap/memory.ts';
import { checkDead } from '../shared/recover.ts';
import { checkWorkerId, workerIdOf, workerIdsOf } from '../shared/slots.ts';
import type {
  SharedHeapHandle,
  SharedHeapMemory,
  SharedHeapOptions,
  SharedHeapRecovered,
} from './options.ts';
import { SharedRegion } from './region.ts';

const UINT16_MAX = 0xffff;

/** Figures of a shared heap. Exact if no other worker is in a call, approximate otherwise. */
export interface SharedHeapStats extends HeapStats {
  /** Workers that are attached, and dead ones that have not been recovered. */
  readonly workers: number;
}

/**
 * A heap in a SharedArrayBuffer or a shared WebAssembly.Memory, for up to 252 workers at once: malloc, calloc, realloc
 * and free as C has them. No call takes a lock or waits for another worker: a worker that is stopped or killed at any
 * point does not stop the others. Any worker may free a block that another has allocated.
 *
 * Each worker, the creator included, has an instance of its own, attached to the same memory. An instance cannot be
 * posted; its {@link handle} can. All of the heap's state lies in the memory, at the start of its region.
 *
 * Small blocks come from slabs, each of which belongs to one worker: that worker allocates and frees there without any
 * atomic access (as in mimalloc: Leijen et al. 2019). Large blocks, and the pages of the slabs, come from a lock-free
 * buddy system of pages.
 *
 * A pointer is the offset of a byte from the start of the memory, the same for all workers, and 0 is the null pointer.
 * A pointer is a multiple of the unit; a request is rounded up to a size class, by an eighth at most, and above the
 * largest slot to a power of two of pages. Sizes and pointers are bytes. A call that throws has changed nothing, and
 * neither has one that had no room. The heap keeps the blocks apart, not the accesses to one block: a worker that hands
 * a block to another must do so by Atomics or by posting a message.
 *
 * After {@link detach}, the properties that say where the heap lies and what it was made with still work: `buffer`,
 * `handle`, `start`, `unit`, `maximum`, `maxWorkers`, `trackOwners`. All other members throw a {@link BuddyError}
 * `DETACHED`; of `imports` and `scope()`, the functions do.
 */
export class SharedHeap extends AbstractHeap<SharedArrayBuffer> {
  readonly #region: SharedRegion;

  private constructor(region: SharedRegion) {
    super(region);
    this.#region = region;
  }

  /**
   * A heap in which nothing is allocated, with the caller attached to it. O(bytes of state that the memory had before),
   * O(log maximum) in fresh memory.
   *
   * @throws TypeError if an option has the wrong type, the memory is not shared, neither or both of `memory` and `size`
   * are given, or a WebAssembly.Memory without `maximum`.
   * @throws RangeError if a number is out of range, or the region is too small to hold anything.
   */
  static create(options: SharedHeapOptions): SharedHeap {
    return new SharedHeap(SharedRegion.create(options));
  }

  /**
   * Attaches the calling worker to the heap that another worker has created: pass that heap's {@link handle}. O(workers
   * + log maximum).
   *
   * @returns null if as many workers are attached as the heap was made for.
   * @throws TypeError, RangeError if an argument is of the wrong type or out of range; TypeError for a view of a part
   * of the memory.
   * @throws BuddyError `FOREIGN` if there is no shared heap at `start`; `VERSION`, `TRUNCATED` or `CORRUPT`. Only the
   * header is verified, as other workers may be changing the rest.
   */
  static attach(handle: HeapHandle<SharedHeapMemory | ArrayBufferView>): SharedHeap | null {
    const region = SharedRegion.attach(handle);
    return region === null ? null : new SharedHeap(region);
  }

  /**
   * Bytes that a heap made with `options` keeps for itself: its header, the state for its `maximum`, and a cell for
   * each worker. They lie at the start of its region and never become more; `stats().metadataBytes` is the same.
   * Allocates nothing.
   *
   * @throws TypeError, RangeError as {@link create}.
   */
  static bytesFor(options: SharedHeapOptions): number {
    return SharedRegion.bytesFor(options);
  }

  /** Where the heap lies: post it to other workers, for them to {@link attach}. */
  get handle(): SharedHeapHandle {
    const { memory, start } = this.#region;
    return { memory, start };
  }

  /**
   * The present buffer. For a WebAssembly memory it is another object after each growth; the former ones stay valid.
   */
  override get buffer(): SharedArrayBuffer {
    return this.#region.buffer;
  }

  /** The byte behind the last one that the heap uses. It moves as any worker makes the heap grow. */
  override get end(): number {
    return this.#region.attached().end;
  }

  /** How many workers can be attached at once. */
  get maxWorkers(): number {
    return this.#region.layout.g.slots;
  }

  /** Whether the heap notes the owner of each block. */
  get trackOwners(): boolean {
    return this.#region.layout.slabs.tracked;
  }

  /**
   * This worker's id: what {@link recover} takes should the worker die. No two workers of a heap have the same,
   * except after 2^21 turns of one slot.
   */
  get workerId(): number {
    const { cells, G, slot } = this.#region.requireSlabs();
    return workerIdOf(cells, G.arena, slot);
  }

  /** The ids of all attached workers, and of the dead ones that have not been recovered. O(workers). */
  workerIds(): number[] {
    const { cells, G } = this.#region.requireSlabs();
    return workerIdsOf(cells, G.arena);
  }

  /**
   * Bytes in live blocks, rounding up included. Exact if no worker is in a call and none has died in one; else it may
   * be wrong by the blocks of those calls. O(maxWorkers).
   */
  get usedBytes(): number {
    return this.#region.attached().used;
  }

  /** Bytes that are not in live blocks, in slabs and in free pages: as {@link usedBytes}. O(maxWorkers). */
  get freeBytes(): number {
    const region = this.#region.attached();
    return region.capacity - region.used;
  }

  /** Size of the largest request above the largest slot that has room without growth. O(end / page / 16). */
  get largestFree(): number {
    return this.#region.attached().largestFree;
  }

  /**
   * A word for the program's own use, a uint32, 0 at first, which all workers see: mostly the pointer from which a
   * worker that attaches finds its data. It is read and written by Atomics.
   *
   * @throws TypeError if it is set to a value that is not a number.
   * @throws RangeError if it is set to a number that is not an integer from 0 to 2^32 - 1.
   */
  get root(): number {
    return this.#region.attached().root;
  }

  set root(value: number) {
    this.#region.attached().root = checkWithin('root', value, 0, ADDRESSABLE - 1);
  }

  /**
   * Allocates `bytes` bytes with arbitrary content. `malloc(0)` gives a block like any other. Lock-free; O(1) mostly,
   * the cost of a block of pages for a new slab or a large block. If there is no room it looks at all of this worker's
   * slabs, and at the slabs that other workers have left, before the heap grows.
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow. A free slot in the slab of another worker is
   * not room; nor are pages that another worker is about to split or to coalesce, or is adding to the heap.
   * @throws TypeError if `bytes` is not a number.
   * @throws RangeError if it is not an integer from 0 up.
   */
  malloc(bytes: number): number {
    const region = this.#region;
    const { slabs } = region;
    // The test of the type keeps `|` from asking an object for its value, which may throw.
    if (slabs === null || typeof bytes !== 'number' || (bytes | 0) !== bytes || bytes <= 0) {
      region.attached();
      return this.#alloc(checkInteger('size', bytes), 1);
    }
    const ptr = slabs.malloc(bytes);
    return ptr === 0 || region.rests !== undefined ? this.#finish(ptr, bytes, 1) : ptr;
  }

  /**
   * Allocates `bytes` bytes at a multiple of `alignment`. For an alignment above a page this takes a block of so many
   * bytes, for which there must be room, and gives back the rest of it as far as {@link realloc} can in place. As
   * {@link malloc}.
   *
   * @returns the pointer; 0 if there is no room and the heap cannot grow.
   * @throws TypeError if an argument is not a number.
   * @throws RangeError if `alignment` is not a power of two up to 2^32, or `bytes` is not an integer from 0 up.
   */
  alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo('alignment', alignment, 1, ADDRESSABLE);
    this.#region.attached();
    return this.#alloc(checkInteger('bytes', bytes), alignment);
  }

  /**
   * Gives the block at `ptr` room for `bytes` bytes. It stays where it is if it has that room and would not be left
   * more than half empty; a large block also if the change is one of a single word of the state of the arena. Otherwise
   * it moves, with its bytes, for which both blocks must have room; a block that is to become smaller stays as it is if
   * there is none. `realloc(0, bytes)` is `malloc(bytes)`, and `realloc(ptr, 0)` leaves a block of one byte. O(1)
   * mostly in place, O(bytes) if it moves.
   *
   * @returns the pointer, the same or another; 0 if there is no room, and then the block is as it was.
   * @throws TypeError, RangeError as {@link malloc}, and what {@link free} throws.
   */
  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    const region = this.#region;
    const slabs = region.requireSlabs();
    const before = this.#sizeAt(ptr);
    if (before === 0) throw misuse(region, ptr);
    const size = Math.max(1, checkInteger('size', bytes));
    const shrinks = size <= before;
    if (shrinks && size > before / 2) return this.#note(ptr, size);
    if (this.#resizeInPlace(ptr, before, size)) return this.#note(ptr, size);
    let to = this.#place(size, 1);
    if (to === 0) {
      // A look that found no room has closed all empty words, one of which may have been in the block's way.
      if (shrinks || this.#resizeInPlace(ptr, before, size)) return this.#note(ptr, size);
      to = this.#growing(size, 1);
      // The slabs that this worker has given back may have been in the block's way, too.
      if (to === 0) return this.#resizeInPlace(ptr, before, size) ? this.#note(ptr, size) : 0;
    }
    const length = Math.min(before, size);
    region.bytesTo(Math.max(ptr, to) + length).copyWithin(to, ptr, ptr + length);
    if (slabs.free(ptr) === 0) {
      // Another worker has freed it meanwhile.
      slabs.free(to);
      throw misuse(region, ptr);
    }
    return this.#note(to, size);
  }

  /**
   * Frees the block at `ptr`, whichever worker allocated it, or the block at which a view on the heap's memory begins,
   * even if that view was posted here. `free(0)` does nothing. Lock-free; O(1) mostly, O(log maximum) for a large
   * block.
   *
   * @throws TypeError if `ptr` is neither a number nor a view.
   * @throws RangeError if it is not an integer, or outside the heap; if `size` is given, also if that is not what the
   * block may have been allocated with.
   * @throws BuddyError `NOT_ALLOCATED` if the byte is not in a live block: a double free, or never allocated;
   * `INTERIOR` if it is inside one; `FOREIGN` if the view is on other memory. Of several workers that free the same
   * block one succeeds, unless it has been allocated again in between.
   */
  free(ptr: number | ArrayBufferView, size?: number): void {
    const region = this.#region;
    const { slabs } = region;
    if (typeof ptr !== 'number') ptr = pointerOf(region, ptr);
    if (size !== undefined) checkFreedSize(region, ptr, size, region.rests === undefined ? undefined : this);
    if (slabs !== null && slabs.free(ptr) !== 0) return;
    const again = region.requireSlabs();
    if (ptr === 0 || (region.hasGrown() && again.free(ptr) !== 0)) return;
    throw misuse(region, ptr);
  }

  /**
   * Bytes that were asked for when the block at `ptr` was allocated or resized. O(1).
   *
   * @throws TypeError if the heap was not made with `keepSizes`.
   * @throws what {@link free} throws.
   */
  lengthOf(ptr: number): number {
    const region = this.#region.attached();
    const { rests } = region;
    if (rests === undefined) throw new TypeError('the heap was not made with keepSizes');
    const size = blockSize(region, ptr);
    const at = region.unitAt(ptr);
    return size - rests[at] - (size > UINT16_MAX ? rests[at + 1] * (UINT16_MAX + 1) : 0);
  }

  /**
   * Makes this worker the owner of the live block at `ptr`, or of the block at which a view begins, which another
   * worker has handed over: if the former owner dies, the block stays, and if this one dies, {@link recover} takes it
   * back. Nothing changes if owners are not tracked. Lock-free.
   *
   * With `from`, the id of the worker that has handed it over, the block must belong to that worker, or to nobody if
   * that worker has detached. If the giver may have died and been recovered meanwhile, and its memory been allocated
   * again, only this tells the new block from the one that was handed over.
   *
   * @throws what {@link free} throws; BuddyError `NOT_ALLOCATED` also if the block does not belong to `from`.
   * @throws TypeError, RangeError if `from` is given and cannot be the id of a worker.
   */
  adopt(ptr: number | ArrayBufferView, from?: number): void {
    const region = this.#region;
    const address = typeof ptr === 'number' ? ptr : pointerOf(region, ptr);
    const slabs = region.requireSlabs();
    if (from !== undefined) checkWorkerId(slabs.G.arena, 'from', from);
    if (this.#sizeAt(address) !== 0 && slabs.adopt(address, from ?? 0)) return;
    throw slabs.sizeAt(address) === 0
      ? misuse(region, address)
      : new BuddyError('NOT_ALLOCATED', `the block at ${address} does not belong to worker ${from} any more`);
  }

  /**
   * Makes the live block at `ptr`, or the block at which a view begins, nobody's: whichever worker dies, it stays until
   * a worker frees or adopts it. For blocks that all workers share, such as the one that {@link root} points to.
   * Nothing changes if owners are not tracked. Lock-free.
   *
   * @throws what {@link free} throws.
   */
  disown(ptr: number | ArrayBufferView): void {
    const region = this.#region;
    const address = typeof ptr === 'number' ? ptr : pointerOf(region, ptr);
    const slabs = region.requireSlabs();
    if (this.#sizeAt(address) === 0 || !slabs.disown(address)) throw misuse(region, address);
  }

  /** Counts blocks and bytes. Exact if no other worker is in a call, approximate otherwise. O(end / unit). */
  override stats(): SharedHeapStats {
    return { ...super.stats(), workers: this.workerIds().length };
  }

  /**
   * Takes back the slot and the slabs of the dead worker with the id `workerId`, and, if owners are tracked, its
   * blocks. Completes or undoes its unfinished changes. Other workers may go on meanwhile. Without tracking its blocks
   * stay allocated. O(maximum / page), and O(blocks) of that worker. Does nothing if the worker has been recovered or
   * has detached itself.
   *
   * The worker must be dead: terminated, or never to call again.
   *
   * @throws TypeError if `workerId` is not a number.
   * @throws RangeError if no worker of this heap can have that id, or it is the caller's own.
   */
  recover(workerId: number): SharedHeapRecovered {
    const region = this.#region;
    const slabs = region.requireSlabs();
    checkDead(slabs.arena, workerId);
    return region.recover(slabs, workerId);
  }

  /**
   * Gives back this worker's slabs and its slot. Its blocks stay allocated; if owners are tracked they belong to nobody
   * until a worker adopts them. A second `detach` does nothing. O(maximum / page), and O(blocks) if owners are tracked.
   */
  detach(): void {
    this.#region.giveBackSlot();
  }

  /** Bytes of the live block that begins at `ptr`; 0 if none does. */
  #sizeAt(ptr: number): number {
    if (typeof ptr !== 'number') return 0; // arithmetic asks an object for its value
    const region = this.#region;
    const size = region.requireSlabs().sizeAt(ptr);
    return size === 0 && region.hasGrown() ? region.requireSlabs().sizeAt(ptr) : size;
  }

  /** `alignedAlloc` of checked arguments. */
  #alloc(bytes: number, alignment: number): number {
    return this.#finish(this.#place(bytes, alignment), bytes, alignment);
  }

  /** The rest of an allocation for which `ptr` was found, or 0 if there was no room. */
  #finish(ptr: number, bytes: number, alignment: number): number {
    const to = ptr === 0 ? this.#growing(bytes, alignment) : ptr;
    return to === 0 ? 0 : this.#note(to, bytes);
  }

  /** Allocates where there is room at present. Returns the pointer; 0 if there is none. */
  #place(bytes: number, alignment: number): number {
    const region = this.#region;
    const slabs = region.requireSlabs();
    const { page, unit } = region.layout;
    // A slot of a multiple of the alignment lies at one: its slab starts at a page.
    const multiple = alignment > unit && alignment <= page ? alignment : 1;
    const size = Math.ceil(Math.max(1, bytes) / multiple) * multiple;
    if (size > ADDRESSABLE) return 0;
    if (alignment <= page)
      return size < 2 ** 31 ? slabs.malloc(size) : slabs.mallocPages(this.#orderFor(size));
    const ptr = slabs.mallocPages(this.#orderFor(Math.max(size, alignment)));
    if (ptr !== 0) this.#resizeInPlace(ptr, slabs.sizeAt(ptr), Math.max(size, page));
    return ptr;
  }

  /**
   * As `#place`, after this worker has collected freed slots and pages, or the heap has grown; 0 if that did not help.
   */
  #growing(bytes: number, alignment: number): number {
    const region = this.#region;
    const slabs = region.requireSlabs();
    if (Math.max(bytes, alignment) > ADDRESSABLE) return 0;
    let ptr = slabs.reclaim() ? this.#place(bytes, alignment) : 0;
    const order = this.#orderFor(Math.max(bytes, alignment));
    while (ptr === 0 && region.growFor(order)) ptr = this.#place(bytes, alignment);
    return ptr;
  }

  /**
   * Makes the large block of `before` bytes at `ptr` one of `size` bytes, if that is a change of one word of the arena.
   */
  #resizeInPlace(ptr: number, before: number, size: number): boolean {
    const slabs = this.#region.requireSlabs();
    const { page } = this.#region.layout;
    if (before < page || size < page) return false;
    return slabs.resizePages(ptr, this.#orderFor(size));
  }

  /** log2 of the pages of a block of `bytes` bytes, however many those are. */
  #orderFor(bytes: number): number {
    return Math.max(0, Math.ceil(Math.log2(bytes / this.#region.layout.page)));
  }

  /** Keeps the size of the live block at `ptr`, if the heap does. Returns `ptr`. */
  #note(ptr: number, bytes: number): number {
    const region = this.#region;
    const { rests } = region;
    if (rests === undefined) return ptr;
    const size = region.requireSlabs().sizeAt(ptr);
    const at = region.unitAt(ptr);
    rests[at] = size - bytes;
    if (size > UINT16_MAX) rests[at + 1] = (size - bytes) / (UINT16_MAX + 1);
    return ptr;
  }
}
