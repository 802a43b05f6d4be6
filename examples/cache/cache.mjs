// A cache of strings in a Heap: the least recently used ones go when there is no more room. The heap grows up to its maximum, so
// the cache never takes more than that.

import { Heap } from 'buddy-allocator/heap';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class StringCache {
  #heap;
  /** By key, where the string lies: the least recently used one first. No views, as they end when the memory grows. */
  #entries = new Map();

  /** A cache of `size` bytes that grows up to `maximum`. */
  constructor({ size, maximum }) {
    this.#heap = new Heap({ size, maximum });
  }

  /** Number of strings. */
  get size() {
    return this.#entries.size;
  }

  /** Bytes of the strings, and of the memory they are in. */
  get bytes() {
    return { used: this.#heap.usedBytes, memory: this.#heap.end };
  }

  /** Keeps `text`. Returns false if it has no room, however many others go. */
  set(key, text) {
    const bytes = encoder.encode(text);
    if (bytes.length > this.#heap.maximum) return false;
    this.delete(key);
    for (;;) {
      const copy = this.#heap.allocFrom(bytes);
      if (copy !== null) {
        this.#entries.set(key, { ptr: copy.byteOffset, length: copy.length });
        return true;
      }
      const [oldest] = this.#entries.keys();
      if (!this.delete(oldest)) return false;
    }
  }

  /** The string of `key`, which is the most recently used one now; undefined if there is none. */
  get(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return decoder.decode(this.#heap.view(entry.ptr, Uint8Array, entry.length));
  }

  /** Forgets the string of `key`. Returns whether there was one. */
  delete(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#heap.free(entry.ptr);
    return true;
  }
}
