// ReplicatedPrefixes: CIDR prefixes out of a pool that many processes share.

import { checkObject } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { formatPrefix } from './prefix.ts';
import { expectCapacity, lengthOf } from './prefixes.ts';
import { type Extent, type PoolOptions, Space } from './space.ts';

/** A block that is held. */
export interface HeldExtent extends Extent {
  readonly token: number;
}

/** What is used of a `ReplicatedArena`; any object of this form will do. */
export interface PrefixArena<Request, Held extends HeldExtent, Allocated extends Held, Freeing> {
  readonly capacity: number;
  alloc(size: number, options?: Request): Promise<Allocated | null>;
  reserve(offset: number, size: number, options?: Request): Promise<Allocated | null>;
  free(hold: { readonly offset: number; readonly token: number }, options?: Freeing): Promise<number>;
  find(key: string): Held | null;
  blockOf(unit: number): Held | null;
  list(options?: { readonly owner?: string | undefined }): Held[];
  stats(): { readonly largestFree: number };
}

/** A block with the prefix that it is. */
export type WithPrefix<Block> = Block & { readonly prefix: string };

/**
 * {@link Prefixes} of an arena that many processes share: the same, but asynchronous, and with request keys, owners,
 * leases and tokens. What a call resolves to is what the arena gives, and the prefix that it is. The arena must have no
 * blocks but these.
 */
export class ReplicatedPrefixes<Request, Held extends HeldExtent, Allocated extends Held, Freeing> {
  /** The arena; a unit is a prefix of the length `longest`, and unit 0 the first of the pool. */
  readonly arena: PrefixArena<Request, Held, Allocated, Freeing>;
  readonly #space: Space;

  /**
   * The pool whose state is `arena`.
   *
   * @throws TypeError if an option is of the wrong type.
   * @throws RangeError if `pool` is not a prefix, `longest` not a length from the pool's to 30 bits more, or `arena`
   * not of 2^n units, where n is the length `longest` less that of the pool: {@link capacityFor} tells.
   */
  constructor(options: PoolOptions & { readonly arena: PrefixArena<Request, Held, Allocated, Freeing> }) {
    this.#space = new Space(options);
    this.arena = checkObject('arena', options.arena);
    expectCapacity(this.arena, this.#space.capacity);
  }

  /** The pool. */
  get pool(): string {
    return formatPrefix(this.#space.pool);
  }

  /** Length of the longest, that is, smallest prefixes. */
  get longest(): number {
    return this.#space.longest;
  }

  /** Length of the shortest prefix that is free in this process's copy; null if none is. O(blocks * log capacity). */
  get largestFree(): number | null {
    return lengthOf(this.#space, this.arena.stats().largestFree);
  }

  /**
   * Allocates the lowest free prefix of `length`, with the options that the arena's `alloc` takes.
   *
   * @returns its block; null if there is no room.
   * @throws TypeError, RangeError if `length` is not an integer from the pool's length to `longest`; the errors of the
   * arena.
   */
  async alloc(length: number, options?: Request): Promise<WithPrefix<Allocated> | null> {
    return this.#named(await this.arena.alloc(this.#space.sizeOf(length), options));
  }

  /**
   * Takes just this prefix, with the options that the arena's `reserve` takes.
   *
   * @returns its block; null if an address in it is in use.
   * @throws TypeError, RangeError if `prefix` is not a prefix of the pool; the errors of the arena.
   */
  async reserve(prefix: string, options?: Request): Promise<WithPrefix<Allocated> | null> {
    const { offset, size } = this.#space.extentOf(prefix);
    return this.#named(await this.arena.reserve(offset, size, options));
  }

  /**
   * Frees a prefix that this token holds, with the options that the arena's `free` takes.
   *
   * @returns the units freed; 0 if this token has freed it before.
   * @throws TypeError, RangeError if `prefix` is not a prefix of the pool; the errors of the arena.
   * @throws BuddyError `INTERIOR` if what this token holds is a larger or a smaller prefix.
   */
  async free(hold: { readonly prefix: string; readonly token: number }, options?: Freeing): Promise<number> {
    const { prefix, token } = checkObject('hold', hold);
    const { offset, size } = this.#space.extentOf(prefix);
    const held = this.arena.blockOf(offset);
    if (held !== null && held.token === token && held.size !== size) {
      throw new BuddyError('INTERIOR', `token ${token} holds ${this.#space.prefixAt(held)}, not ${prefix}`);
    }
    return this.arena.free({ offset, token }, options);
  }

  /** The block of the request with this key; null if there is none. */
  find(key: string): WithPrefix<Held> | null {
    return this.#named(this.arena.find(key));
  }

  /**
   * The block that `address` belongs to; null if it is free.
   *
   * @throws TypeError if it is not a string.
   * @throws RangeError if it is not an address of the pool.
   */
  at(address: string): WithPrefix<Held> | null {
    return this.#named(this.arena.blockOf(this.#space.unitOf(address)));
  }

  /** The blocks, by address; with an `owner`, only that one's. */
  list(options?: { readonly owner?: string | undefined }): WithPrefix<Held>[] {
    return this.arena.list(options).map((block) => ({ ...block, prefix: this.#space.prefixAt(block) }));
  }

  #named<Block extends Extent>(block: Block | null): WithPrefix<Block> | null {
    return block === null ? null : { ...block, prefix: this.#space.prefixAt(block) };
  }
}

/**
 * Units of the arena of such a pool.
 *
 * @throws TypeError, RangeError if an option is wrong, as the constructors.
 */
export function capacityFor(options: PoolOptions): number {
  return new Space(options).capacity;
}
