// Pointers that carry the generation of their block in the bits that no address needs.

import { ADDRESSABLE } from '../heap/memory.ts';

/** Generations go from 1 to this, and then start again: with an address of 32 bits, they fill the 53 bits of an integer. */
export const LAST_GENERATION = 2 ** 21 - 1;

/** The pointer to `address` with a generation; 0 is none. Modulo 2^32, which is how `|`, `>>>` and WebAssembly read it, it is the address. */
export function pointer(address: number, generation: number): number {
  return generation * ADDRESSABLE + address;
}

/** The generation that `ptr` carries; 0 when it carries none, as whatever is no pointer at all. */
export function generationOf(ptr: number): number {
  return Number.isSafeInteger(ptr) && ptr > 0 ? Math.floor(ptr / ADDRESSABLE) : 0;
}

/** The address in `ptr`. What carries no generation stays what it is. */
export function addressOf(ptr: number): number {
  return generationOf(ptr) === 0 ? ptr : ptr % ADDRESSABLE;
}
