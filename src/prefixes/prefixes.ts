// Prefixes: CIDR prefixes out of a pool, in memory.

import { BuddyError } from '../base/errors.ts';
import { BuddyAllocator } from '../core/allocator.ts';
import { formatPrefix } from './prefix.ts';
import { type Extent, type PoolOptions, Space } from './space.ts';

/** What {@link Prefixes} are made with. */
export interface PrefixesOptions extends PoolOptions {
  /**
   * The arena that the prefixes are blocks of, such as one attached to a saved state: 2^n units, where n is the length
   * `longest` less that of the pool. A new one unless given.
   */
  readonly arena?: BuddyAllocator | undefined;
}

/**
 * CIDR prefixes out of a pool. The buddy system fits them as they are: a prefix is a block of 2^n addresses at a
 * multiple of its size, and the two halves of a prefix are buddies. A request gets the lowest free prefix of its
 * length, and a freed one is joined with its other half for as long as that is free.
 *
 * Prefixes are given and taken as text. All spellings are understood, zones excepted; the one of RFC 5952 is given.
 */
export class Prefixes {
  /** The arena; a unit is a prefix of the length `longest`, and unit 0 the first of the pool. */
  readonly arena: BuddyAllocator;
  readonly #space: Space;

  /**
   * A pool in which nothing is in use, unless `arena` says otherwise.
   *
   * @throws TypeError if an option is of the wrong type.
   * @throws RangeError if `pool` is not a prefix, `longest` not a length from the pool's to 30 bits more, or `arena` of
   * another capacity.
   */
  constructor(options: PrefixesOptions) {
    this.#space = new Space(options);
    const { capacity } = this.#space;
    this.arena = options.arena ?? new BuddyAllocator({ capacity });
    expectCapacity(this.arena, capacity);
  }

  /** The pool. */
  get pool(): string {
    return formatPrefix(this.#space.pool);
  }

  /** Length of the longest, that is, smallest prefixes. */
  get longest(): number {
    return this.#space.longest;
  }

  /** Length of the shortest, that is, largest prefix that is free; null if none is. O(log capacity). */
  get largestFree(): number | null {
    return lengthOf(this.#space, this.arena.largestFree);
  }

  /**
   * Allocates the lowest free prefix of `length`. O(1) mostly, O(log capacity) at worst.
   *
   * @returns the prefix; null if there is no room.
   * @throws TypeError, RangeError if `length` is not an integer from the pool's length to `longest`.
   */
  alloc(length: number): string | null {
    const size = this.#space.sizeOf(length);
    const offset = this.arena.alloc(size);
    return offset < 0 ? null : this.#space.prefixAt({ offset, size });
  }

  /**
   * Takes just this prefix. O(log capacity).
   *
   * @returns false if an address in it is in use; nothing has changed then.
   * @throws TypeError if `prefix` is not a string.
   * @throws RangeError if it is not a prefix, has host bits set, is not in the pool, or is longer than `longest`.
   */
  reserve(prefix: string): boolean {
    const { offset, size } = this.#space.extentOf(prefix);
    return this.arena.reserve(offset, size);
  }

  /**
   * Takes all prefixes and addresses that are in use elsewhere. One inside another counts once. One that is longer than
   * `longest` takes the whole prefix of that length. O(n log n) for n of them.
   *
   * @returns the prefixes taken, by address; null if one overlaps with a prefix of this pool, and nothing has changed
   * then.
   * @throws TypeError, RangeError as {@link reserve}, but for the length; then nothing has changed.
   */
  reserveAll(prefixes: Iterable<string>): string[] | null {
    const extents = this.#space.extentsInUse(prefixes);
    for (const [i, { offset, size }] of extents.entries()) {
      if (this.arena.reserve(offset, size)) continue;
      for (const taken of extents.slice(0, i)) this.arena.free(taken.offset);
      return null;
    }
    return extents.map((extent) => this.#space.prefixAt(extent));
  }

  /**
   * Frees a prefix, all of it. O(1) mostly, O(log capacity) at worst.
   *
   * @throws TypeError, RangeError as {@link reserve}.
   * @throws BuddyError `NOT_ALLOCATED` if it is free, or only parts of it are in use; `INTERIOR` if it is a part of one
   * that is in use.
   */
  free(prefix: string): void {
    const extent = this.#space.extentOf(prefix);
    const found = this.#blockAt(extent.offset);
    if (found === null || found.size < extent.size) {
      throw new BuddyError(
        'NOT_ALLOCATED',
        `${prefix} is not allocated${found === null ? '' : ' as a whole'}`,
      );
    }
    if (found.size > extent.size) {
      throw new BuddyError('INTERIOR', `${prefix} is a part of ${this.#space.prefixAt(found)}`);
    }
    this.arena.free(extent.offset);
  }

  /**
   * The allocated prefix that `address` belongs to; null if it is free. O(log capacity).
   *
   * @throws TypeError if it is not a string.
   * @throws RangeError if it is not an address of the pool.
   */
  at(address: string): string | null {
    const found = this.#blockAt(this.#space.unitOf(address));
    return found === null ? null : this.#space.prefixAt(found);
  }

  /** The allocated prefixes, by address. O(blocks * log capacity). */
  list(): string[] {
    return [...this.arena.blocks()].filter(({ free }) => !free).map((block) => this.#space.prefixAt(block));
  }

  #blockAt(unit: number): Extent | null {
    const offset = this.arena.blockOf(unit);
    return offset < 0 ? null : { offset, size: this.arena.sizeOf(offset) };
  }
}

/** Throws a RangeError unless `arena` has `capacity` units. */
export function expectCapacity(arena: { readonly capacity: number }, capacity: number): void {
  if (arena.capacity === capacity) return;
  throw new RangeError(`the arena of this pool must have ${capacity} units, not ${arena.capacity}`);
}

/** The length of a prefix of `size` units; null for none. */
export function lengthOf({ longest }: Space, size: number): number | null {
  return size === 0 ? null : longest - Math.log2(size);
}
