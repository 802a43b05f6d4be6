// The ids of live blocks by address: a hash table in typed arrays.
//
// A Map does not do. V8 keeps a deleted entry in the chain of its hash until it rebuilds the table. Every malloc hands
// out the address that was freed last, so one chain grows with each free, and each look-up takes longer. And a Map ends
// at 2^24 entries.
//
// Addresses come from files, so the hash is one that no file can know: simple tabulation with random tables. With it,
// linear probing takes O(1) expected time for any addresses (M. Patrascu, M. Thorup, The power of simple tabulation
// hashing, JACM 59, 2012).

import { int32s } from '../memory.ts';

/** The result of {@link AddressTable.get} for an address at which no block is live. */
export const NO_BLOCK = -1;

/** Bytes of an address: 64 bits. */
const ADDRESS_BYTES = 8;

const FIRST_SLOTS = 1024;

/** Which blocks are live at which addresses. An address is given as two uint32, the lower and the upper half. */
export class AddressTable {
  /** A random number for each value of each byte of an address. */
  readonly #random = crypto.getRandomValues(new Uint32Array(ADDRESS_BYTES * 256));
  /** The addresses, two int32 per slot. */
  #addresses = int32s(2 * FIRST_SLOTS);
  /** The id plus 1 of each slot; 0 if it is empty. */
  #ids = int32s(FIRST_SLOTS);
  /** Slots minus 1. The number of slots is a power of two. */
  #mask = FIRST_SLOTS - 1;
  #size = 0;

  /** The id at an address; {@link NO_BLOCK} if there is none. O(1) expected. */
  get(low: number, high: number): number {
    return this.#ids[this.#find(low | 0, high | 0)] - 1;
  }

  /** Notes an id, 0 … 2^31 - 2, at an address, instead of one that may be there. O(1) expected, amortised. */
  set(low: number, high: number, id: number): void {
    const slot = this.#find(low | 0, high | 0);
    if (this.#ids[slot] === 0) this.#size++;
    this.#put(slot, low, high, id + 1);
    // At most two thirds are in use, so that there is always an empty slot nearby.
    if (this.#size * 3 > (this.#mask + 1) * 2) this.#enlarge();
  }

  /** Forgets an address that has an id. O(1) expected. */
  delete(low: number, high: number): void {
    let hole = this.#find(low | 0, high | 0);
    this.#size--;
    // Entries behind the hole move up, so that each can be reached from its own slot without a gap.
    for (let slot = hole; ; ) {
      slot = (slot + 1) & this.#mask;
      if (this.#ids[slot] === 0) break;
      const slotLow = this.#addresses[2 * slot];
      const slotHigh = this.#addresses[2 * slot + 1];
      const home = this.#hash(slotLow, slotHigh) & this.#mask;
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#put(hole, slotLow, slotHigh, this.#ids[slot]);
      hole = slot;
    }
    this.#ids[hole] = 0;
  }

  /** The slot of an address, or the empty one where it belongs. */
  #find(low: number, high: number): number {
    let slot = this.#hash(low, high) & this.#mask;
    while (
      this.#ids[slot] !== 0 &&
      (this.#addresses[2 * slot] !== low || this.#addresses[2 * slot + 1] !== high)
    ) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #put(slot: number, low: number, high: number, entry: number): void {
    this.#addresses[2 * slot] = low;
    this.#addresses[2 * slot + 1] = high;
    this.#ids[slot] = entry;
  }

  #hash(low: number, high: number): number {
    const random = this.#random;
    return (
      random[low & 255] ^
      random[256 + ((low >>> 8) & 255)] ^
      random[512 + ((low >>> 16) & 255)] ^
      random[768 + (low >>> 24)] ^
      random[1024 + (high & 255)] ^
      random[1280 + ((high >>> 8) & 255)] ^
      random[1536 + ((high >>> 16) & 255)] ^
      random[1792 + (high >>> 24)]
    );
  }

  /** Doubles the slots. */
  #enlarge(): void {
    const addresses = this.#addresses;
    const ids = this.#ids;
    this.#addresses = int32s(2 * addresses.length);
    this.#ids = int32s(2 * ids.length);
    this.#mask = 2 * ids.length - 1;
    for (let slot = 0; slot < ids.length; slot++) {
      if (ids[slot] === 0) continue;
      const low = addresses[2 * slot];
      const high = addresses[2 * slot + 1];
      this.#put(this.#find(low, high), low, high, ids[slot]);
    }
  }
}
