// The kinds of memory that a heap can lie in, and how each of them grows and shrinks.

/** What {@link Heap} needs of a `WebAssembly.Memory`. */
export interface WasmMemory {
  /** The memory's bytes. Another object after each growth; the former one is detached unless the memory is shared. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Grows by `delta` pages of 64 KiB. Throws a RangeError when it cannot. */
  grow(delta: number): number;
}

/** Memory that a heap can lie in. The ArrayBuffer may be resizable, the SharedArrayBuffer growable. */
export type HeapMemory = ArrayBuffer | SharedArrayBuffer | WasmMemory;

/** A heap's view of its memory, of whatever kind. All numbers are bytes. */
export interface Backing {
  /** The present buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Lengths are multiples of this. */
  readonly granularity: number;
  /** No length above this can be had. */
  readonly limit: number;
  /** Whether growth leaves the former buffer, and all views of it, without memory. */
  readonly detaches: boolean;
  /** Enlarges the memory to `length`, a multiple of the granularity. Throws a RangeError when it cannot. */
  grow(length: number): void;
  /** Reduces the memory to `length`, where that can be done. */
  readonly shrink?: (length: number) => void;
}

/** Pointers have 32 bits: a heap uses no byte beyond this. */
export const ADDRESSABLE = 2 ** 32;

/** Bytes of `count` times `size`, both integers from 0 up; more than any memory has, but finite, where they are too many to count. */
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

/** Finds out what `memory` is. Throws a TypeError when it is no memory. */
export function backingOf(memory: HeapMemory): Backing {
  if (isBuffer(memory)) return new BufferBacking(memory);
  if (isWasmMemory(memory)) return new WasmBacking(memory);
  throw new TypeError('memory must be an ArrayBuffer, a SharedArrayBuffer or a WebAssembly.Memory');
}

/** A buffer of `type` and `size` bytes that can grow to `maximum`, if given, where the runtime has such buffers. */
export function allocateBuffer<B>(type: new (length: number) => B, size: number, maximum?: number): B {
  if (maximum === undefined || maximum <= size) return new type(size);
  return Reflect.construct(type, [size, { maxByteLength: maximum }]) as B;
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
  /** A memory does not tell its maximum: growth is tried, and refused or not. */
  readonly limit = ADDRESSABLE;
  readonly detaches: boolean;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.detaches = isArrayBuffer(memory.buffer);
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#memory.buffer;
  }

  grow(length: number): void {
    // Another thread may have grown a shared one beyond that.
    this.#memory.grow(Math.max(0, length - this.buffer.byteLength) / PAGE);
  }
}

/** Whether `value` is a buffer, of this realm or another: the getters take none but the real thing. */
function isBuffer(value: unknown): value is ArrayBuffer | SharedArrayBuffer {
  return isArrayBuffer(value) || isSharedArrayBuffer(value);
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return hasGetter(ArrayBuffer.prototype, 'byteLength', value);
}

/** A page that is not isolated has no SharedArrayBuffer. */
function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return (
    typeof SharedArrayBuffer !== 'undefined' && hasGetter(SharedArrayBuffer.prototype, 'byteLength', value)
  );
}

/** Some runtimes can switch WebAssembly off. */
function isWasmMemory(value: unknown): value is WasmMemory {
  return typeof WebAssembly !== 'undefined' && hasGetter(WebAssembly.Memory.prototype, 'buffer', value);
}

function hasGetter(prototype: object, key: string, value: unknown): boolean {
  try {
    Reflect.get(prototype, key, value);
    return true;
  } catch {
    return false;
  }
}
