// A channel between two workers of a shared heap: blocks pass through it together with their ownership.
//
//   header (8 cells) | entries, 4 cells each: pointer, length, ids of the sender and of the receiver
//
// The sender alone writes HEAD and the entries, the receiver alone TAIL, and its id into an entry. A block that was sent
// belongs to its sender until the receiver has adopted it. So whichever of the two dies, and wherever, the block belongs to
// one of them, and recovery takes it back or the other has it.
//
// A receiver that dies between the adoption and the change of TAIL leaves an entry for a block of its own. Once it has been
// recovered the sender may have a new block there, which looks the same. Therefore a receiver notes its id first.

import { checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import type { SharedHeap } from './heap.ts';

/** "CHAN" in a little-endian buffer. */
const MAGIC = 0x4e414843;

const AT_MAGIC = 0;
const AT_CAPACITY = 1;
/** How many blocks were sent, and how many were taken out, modulo 2^32. */
const AT_HEAD = 2;
const AT_TAIL = 3;
const HEADER = 8;

const POINTER = 0;
const LENGTH = 1;
const SENDER = 2;
/** 0 before any receiver has tried to take the block. */
const RECEIVER = 3;
const ENTRY = 4;

const MOST = 2 ** 20;

/** A block that came through a channel. */
export interface Received {
  /** The pointer to the block, which belongs to the worker that has received it. */
  readonly ptr: number;
  /** Its length in bytes as the sender gave it. */
  readonly length: number;
}

/**
 * Passes blocks of a {@link SharedHeap} from one worker to another, ownership included: a block that was sent is the
 * sender's until the receiver takes it out, and the receiver's from then on. If one of them dies,
 * {@link SharedHeap.recover} takes back the blocks that it owns then. So no block is lost, and none is freed that the
 * other one uses. That holds if the heap tracks owners; otherwise a channel is a queue of pointers.
 *
 * A channel has one sender and one receiver at a time. It lies in the heap, in a block that is nobody's. Any worker
 * that knows its {@link ptr} can attach to it, and `heap.free(channel.ptr)` ends it. No call but {@link wait} waits for
 * the other worker.
 */
export class Channel {
  /** The pointer to the channel, for the other worker to {@link attach}. */
  readonly ptr: number;
  readonly #heap: SharedHeap;
  readonly #cells: Int32Array;
  readonly #capacity: number;

  private constructor(heap: SharedHeap, ptr: number, capacity: number) {
    this.ptr = ptr;
    this.#heap = heap;
    this.#capacity = capacity;
    this.#cells = new Int32Array(heap.buffer, ptr, HEADER + capacity * ENTRY);
  }

  /**
   * A channel with room for `capacity` blocks, 1 to 2^20, rounded up to a power of two; 64 unless given. It takes 32
   * bytes and 16 for each block. As {@link SharedHeap.malloc}, and O(capacity).
   *
   * @returns null if the heap has no room and cannot grow.
   * @throws TypeError, RangeError if `capacity` is not such a number.
   * @throws BuddyError `DETACHED` if the worker has detached itself.
   */
  static create(heap: SharedHeap, capacity = 64): Channel | null {
    checkWithin('capacity', capacity, 1, MOST);
    // A power of two, so that the entries follow one another where the numbers wrap around.
    const rounded = 2 ** Math.ceil(Math.log2(capacity));
    const ptr = heap.calloc(HEADER + rounded * ENTRY, 4);
    if (ptr === 0) return null;
    heap.disown(ptr);
    const channel = new Channel(heap, ptr, rounded);
    channel.#cells[AT_CAPACITY] = rounded;
    Atomics.store(channel.#cells, AT_MAGIC, MAGIC);
    return channel;
  }

  /**
   * The channel at `ptr`, which this or another worker has created. O(1).
   *
   * @throws TypeError, RangeError, BuddyError as {@link SharedHeap.view}; `FOREIGN` if no channel is there.
   */
  static attach(heap: SharedHeap, ptr: number): Channel {
    const cells = heap.view(ptr, Int32Array);
    const capacity =
      cells.length < HEADER || Atomics.load(cells, AT_MAGIC) !== MAGIC ? 0 : cells[AT_CAPACITY];
    if (capacity < 1 || (capacity & (capacity - 1)) !== 0 || HEADER + capacity * ENTRY > cells.length)
      throw new BuddyError('FOREIGN', `there is no channel at ${ptr}`);
    return new Channel(heap, ptr, capacity);
  }

  /** How many blocks the channel has room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** How many blocks are in the channel, those included that a recovery has taken back. */
  get size(): number {
    return (Atomics.load(this.#cells, AT_HEAD) - Atomics.load(this.#cells, AT_TAIL)) | 0;
  }

  /**
   * Sends the block at `ptr`, which belongs to this worker. The receiver gets `length` with it, in bytes: that of the
   * whole block unless given. From now on the sender must leave the block alone. O(1).
   *
   * @returns whether the channel had room. If not, nothing has happened.
   * @throws what {@link SharedHeap.usableSize} throws; TypeError, RangeError if `length` is not an integer, or more
   * than the block has.
   */
  send(ptr: number, length?: number): boolean {
    const heap = this.#heap;
    const usable = heap.usableSize(ptr);
    const given = length === undefined ? usable : checkWithin('length', length, 0, usable);
    if (this.size >= this.#capacity) return false;
    const cells = this.#cells;
    const head = Atomics.load(cells, AT_HEAD);
    const at = this.#entryAt(head);
    cells[at + POINTER] = ptr;
    cells[at + LENGTH] = given;
    cells[at + SENDER] = heap.workerId;
    cells[at + RECEIVER] = 0;
    Atomics.store(cells, AT_HEAD, head + 1);
    Atomics.notify(cells, AT_HEAD);
    return true;
  }

  /**
   * Takes the next block out of the channel, and makes this worker its owner. Passes over blocks that recovery has taken
   * back since, as their sender had died; and over the one that a former receiver was taking when it died, if that one has
   * been recovered since. O(1) for each block.
   *
   * @returns null if the channel is empty.
   */
  receive(): Received | null {
    const cells = this.#cells;
    for (;;) {
      const tail = Atomics.load(cells, AT_TAIL);
      if (tail === Atomics.load(cells, AT_HEAD)) return null;
      const at = this.#entryAt(tail);
      const received = { ptr: cells[at + POINTER] >>> 0, length: cells[at + LENGTH] >>> 0 };
      const isOurs = this.#claim(at) && this.#adopt(received.ptr, cells[at + SENDER]);
      // A receiver that dies before this has the block; who takes its place finds that, and passes over it.
      Atomics.store(cells, AT_TAIL, tail + 1);
      if (isOurs) return received;
    }
  }

  /**
   * Waits until the channel is not empty, for `timeout` milliseconds at most; for ever unless given. Not for the main
   * thread of a browser, which may not wait: it calls {@link receive} now and then.
   *
   * @returns whether it is not empty. {@link receive} returns null even so if a recovery has taken back all blocks in
   * it.
   * @throws TypeError if this thread may not wait.
   */
  wait(timeout?: number): boolean {
    const cells = this.#cells;
    const tail = Atomics.load(cells, AT_TAIL);
    return Atomics.wait(cells, AT_HEAD, tail, timeout) !== 'timed-out' || this.size > 0;
  }

  /**
   * Empties the channel for its sender, after the receiver has died: all blocks in it that the receiver had not taken out
   * are the caller's again. To be called before {@link SharedHeap.recover}: after it, the block that the receiver was
   * taking when it died stays the sender's, but is not among those. O(blocks in the channel).
   */
  takeBack(): Received[] {
    const all: Received[] = [];
    for (let next = this.receive(); next !== null; next = this.receive()) all.push(next);
    return all;
  }

  /**
   * Notes in the entry at `at` that this worker takes its block. Returns false if another was about to, and has been
   * recovered since.
   */
  #claim(at: number): boolean {
    const heap = this.#heap;
    const before = Atomics.load(this.#cells, at + RECEIVER);
    if (before === heap.workerId) return true;
    if (before !== 0 && heap.trackOwners && !heap.workerIds().includes(before)) return false;
    Atomics.store(this.#cells, at + RECEIVER, heap.workerId);
    return true;
  }

  /** Whether the block at `ptr` belonged to the worker `from`, and is this worker's now. */
  #adopt(ptr: number, from: number): boolean {
    try {
      this.#heap.adopt(ptr, from);
      return true;
    } catch (error) {
      if (error instanceof BuddyError && (error.code === 'NOT_ALLOCATED' || error.code === 'INTERIOR'))
        return false;
      throw error;
    }
  }

  /** Position of the entry with that number. */
  #entryAt(number: number): number {
    return HEADER + (number & (this.#capacity - 1)) * ENTRY;
  }
}
