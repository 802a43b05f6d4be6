// The kinds of memory that a heap can lie in, and how each of them grows and shrinks.

import { checkObject, checkWithin } from '../base/arguments.ts';
import { hasGetter, isArrayBuffer, isSharedArrayBuffer, wholeBuffer } from '../base/buffers.ts';

/** What {@link Heap} needs of a `WebAssembly.Memory`. */
export interface WasmMemory<B extends ArrayBufferLike = ArrayBufferLike> {
  /** The memory's bytes: another object after each growth. The former one is detached unless the memory is shared. */
  readonly buffer: B;
  /**
   * Grows by `delta` pages of 64 KiB. Throws a RangeError if it cannot. A memory with 64-bit addresses takes a BigInt
   * instead, which heaps find out.
   */
  grow(delta: number): number;
}

/** Memory that a heap can lie in. The ArrayBuffer may be resizable, the SharedArrayBuffer growable. */
export type HeapMemory<B extends ArrayBufferLike = ArrayBufferLike> = B | WasmMemory<B>;

/** Where a heap lies in its memory: what the `attach` of every kind of heap takes. */
export interface HeapHandle<Memory> {
  readonly memory: Memory;
  /** The heap's own `start`; 0 unless given. */
  readonly start?: number;
}

/** Memory of any kind, as a heap sees it. All numbers are bytes. */
export interface Backing {
  /** The present buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Lengths are multiples of this. */
  readonly granularity: number;
  /** The memory never becomes longer than this. */
  readonly limit: number;
  /** Whether growth leaves the former buffer, and all views of it, without bytes. */
  readonly detaches: boolean;
  /** Enlarges the memory to `length`, a multiple of the granularity. Throws a RangeError if it cannot. */
  grow(length: number): void;
  /** Reduces the memory to `length`. Absent if the memory cannot shrink. */
  readonly shrink?: (length: number) => void;
}

/** Pointers have 32 bits: a heap uses no byte from this one on. */
export const ADDRESSABLE = 2 ** 32;

/**
 * Bytes of `count` times `size`, both integers from 0 up; a finite number that exceeds every memory if there are too
 * many.
 */
export function bytesOf(count: number, size: number): number {
  return Math.min(count * size, 2 * ADDRESSABLE);
}

const PAGE = 65_536;

/** The part of a resizable or growable buffer that TypeScript's library for ES2023 does not know. */
interface Growing {
  readonly resizable?: boolean;
  readonly growable?: boolean;
  readonly maxByteLength?: number;
  resize?(length: number): void;
  grow?(length: number): void;
}

/** The backing of `memory`. Throws a TypeError if that is not a memory. */
export function backingOf(memory: HeapMemory): Backing {
  if (isArrayBuffer(memory) || isSharedArrayBuffer(memory)) return new BufferBacking(memory);
  if (isWasmMemory(memory)) return new WasmBacking(memory);
  throw new TypeError('memory must be an ArrayBuffer, a SharedArrayBuffer or a WebAssembly.Memory');
}

/**
 * The memory of a heap that is attached to, its backing, and the checked `start`. A view of a whole buffer stands for
 * the buffer, a view of a part for a copy of it. Throws a TypeError for a part of shared memory, as a copy would no
 * longer be shared.
 */
export function openHandle(handle: HeapHandle<HeapMemory | ArrayBufferView>): {
  readonly memory: HeapMemory;
  readonly backing: Backing;
  readonly start: number;
} {
  const { memory: source, start = 0 } = checkObject('handle', handle);
  if (source === undefined) {
    throw new TypeError(
      'attach takes { memory, start }, such as the handle of a heap, not the memory or heap itself',
    );
  }
  const memory = wholeBuffer(source) as HeapMemory;
  if (ArrayBuffer.isView(source) && memory !== source.buffer && isSharedArrayBuffer(source.buffer)) {
    throw new TypeError('memory must not be a view of a part of shared memory: pass its buffer, and `start`');
  }
  const backing = backingOf(memory);
  checkWithin('start', start, 0, Math.min(ADDRESSABLE, backing.buffer.byteLength));
  return { memory, backing, start };
}

/** A buffer of `type` and `size` bytes that can grow to `maximum`, if given, where the runtime has such buffers. */
export function allocateBuffer<B>(type: new (length: number) => B, size: number, maximum?: number): B {
  if (maximum === undefined || maximum <= size) return new type(size);
  return Reflect.construct(type, [size, { maxByteLength: maximum }]) as B;
}

/**
 * The memory of a heap of `size` bytes that can grow to `maximum`, if given: a WebAssembly.Memory then, as Web APIs take no
 * views of resizable buffers, unless `resizable` asks for one of those or the runtime has no WebAssembly.
 */
export function allocateMemory(size: number, maximum = size, resizable = false): HeapMemory {
  if (isBufferFor(size, maximum, resizable)) return allocateBuffer(ArrayBuffer, size, maximum);
  return new WebAssembly.Memory({ initial: Math.ceil(size / PAGE), maximum: Math.ceil(maximum / PAGE) });
}

const isBufferFor = (size: number, maximum: number, resizable: boolean): boolean =>
  maximum <= size || resizable || typeof WebAssembly === 'undefined';

/** How long a memory is, how long it can become, and what its lengths are multiples of. */
interface Lengths {
  readonly length: number;
  readonly limit: number;
  readonly granularity: number;
}

/** The lengths of a memory. */
export function lengthsOf({ buffer, limit, granularity }: Backing): Lengths {
  return { length: buffer.byteLength, limit, granularity };
}

/** The lengths of the memory that {@link allocateMemory} would make. */
export function lengthsFor(size: number, maximum = size, resizable = false): Lengths {
  if (isBufferFor(size, maximum, resizable)) return { length: size, limit: maximum, granularity: 1 };
  return { length: Math.ceil(size / PAGE) * PAGE, limit: ADDRESSABLE, granularity: PAGE };
}

/**
 * Returns what `allocate` returns, which asks the platform for memory; undefined if the platform has none. Every other
 * error passes. No memory is a RangeError, of any realm; in SpiderMonkey it may be the string "out of memory".
 */
export function ifThereIsRoom<T>(allocate: () => T): T | undefined {
  try {
    return allocate();
  } catch (error) {
    if ((error as Error | null)?.name === 'RangeError' || error === 'out of memory') return undefined;
    throw error;
  }
}

/**
 * Whether `buffer` is on the same memory as the shared buffer `ours`, another object as it may be: whether it shows
 * what is written to the byte at `pos`, which must be of no use to any thread.
 */
export function isSameMemory(ours: ArrayBufferLike, buffer: ArrayBufferLike, pos: number): boolean {
  if (!isSharedArrayBuffer(ours) || !isSharedArrayBuffer(buffer) || buffer.byteLength <= pos) return false;
  const here = new Uint8Array(ours, pos, 1);
  const there = new Uint8Array(buffer, pos, 1);
  return [1, 2].every((value) => {
    Atomics.store(here, 0, value);
    return Atomics.load(there, 0) === value;
  });
}

class BufferBacking implements Backing {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly granularity = 1;
  readonly limit: number;
  readonly detaches = false;
  readonly grow: (length: number) => void;
  readonly shrink?: (length: number) => void;

  constructor(buffer: ArrayBuffer | SharedArrayBuffer) {
    const { resizable, growable, maxByteLength, resize, grow } = buffer as Growing;
    this.buffer = buffer;
    this.limit = Math.min(ADDRESSABLE, resizable || growable ? (maxByteLength as number) : buffer.byteLength);
    this.grow = (length) => (resizable ? resize : grow)?.call(buffer, length);
    if (resizable) this.shrink = this.grow;
  }
}

class WasmBacking implements Backing {
  readonly #memory: WasmMemory;
  readonly granularity = PAGE;
  /** A memory does not tell its maximum: growth is tried, and the platform refuses it or not. */
  readonly limit = ADDRESSABLE;
  readonly detaches: boolean;
  /** Whether the memory has 64-bit addresses, and so takes BigInts, as far as is known. */
  #isWide = false;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.detaches = isArrayBuffer(memory.buffer);
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#memory.buffer;
  }

  grow(length: number): void {
    // Another thread may have grown a shared memory beyond that.
    const pages = Math.max(0, length - this.buffer.byteLength) / PAGE;
    if (!this.#isWide) {
      try {
        this.#memory.grow(pages);
        return;
      } catch (error) {
        // No number of pages is of the wrong type for a memory with 32-bit addresses.
        if ((error as Error | null)?.name !== 'TypeError') throw error;
      }
    }
    (this.#memory.grow as (delta: number | bigint) => unknown).call(this.#memory, BigInt(pages));
    this.#isWide = true;
  }
}

/** Whether `value` is a WebAssembly.Memory of any realm. Some runtimes can switch WebAssembly off. */
export function isWasmMemory(value: unknown): value is WasmMemory {
  return typeof WebAssembly !== 'undefined' && hasGetter(WebAssembly.Memory.prototype, 'buffer', value);
}
