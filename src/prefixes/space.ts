// Prefixes of a pool as blocks of an arena: the unit is a prefix of the greatest length that is given out.

import { checkObject, checkWithin } from '../base/arguments.ts';
import { bitsOf, contains, formatPrefix, type Prefix, parseAddress, parsePrefix } from './prefix.ts';

/** The most bits by which prefixes may be longer than their pool: an arena has at most 2^30 units. */
const MAX_DEPTH = 30;

/** A block of an arena, in units. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** Which prefixes are given out. */
export interface PoolOptions {
  /** The prefix that all others are parts of, such as `10.0.0.0/8` or `2001:db8::/32`. */
  readonly pool: string;
  /** Length of the longest, that is, smallest prefixes: at most 30 bits longer than that of the pool. */
  readonly longest: number;
}

/** The prefixes of a pool, and the blocks that they are. */
export class Space {
  readonly pool: Prefix;
  readonly longest: number;

  /**
   * @throws TypeError if an option is of the wrong type.
   * @throws RangeError if `pool` is not a prefix, or `longest` not a length from the pool's to 30 bits more.
   */
  constructor(options: PoolOptions) {
    const { pool, longest } = checkObject('options', options);
    this.pool = parsePrefix(pool);
    const { version, length } = this.pool;
    this.longest = checkWithin('longest', longest, length, Math.min(bitsOf(version), length + MAX_DEPTH));
  }

  /** Units of the arena. */
  get capacity(): number {
    return this.sizeOf(this.pool.length);
  }

  /** Units of a prefix of `length`, after a check that the pool has such. */
  sizeOf(length: number): number {
    return 2 ** (this.longest - checkWithin('length', length, this.pool.length, this.longest));
  }

  /** The prefix that a block is. */
  prefixAt({ offset, size }: Extent): string {
    const { version, first } = this.pool;
    const length = this.longest - Math.log2(size);
    return formatPrefix({ version, first: first + (BigInt(offset) << this.#unitBits), length });
  }

  /**
   * The block that the prefix in `text` is.
   *
   * @throws TypeError, RangeError as `parsePrefix`; RangeError if it is not in the pool, or longer than `longest`.
   */
  extentOf(text: string): Extent {
    const prefix = this.#inside(parsePrefix(text));
    return { offset: this.#offsetOf(prefix), size: this.sizeOf(prefix.length) };
  }

  /** The unit that the address in `text` belongs to. Throws a RangeError if it is not an address of the pool. */
  unitOf(text: string): number {
    return this.#offsetOf(this.#inside(parseAddress(text)));
  }

  /**
   * The blocks of prefixes and addresses that are in use, by offset, apart from those that lie in another. A prefix
   * that is longer than `longest` stands for the one of that length that contains it.
   */
  extentsInUse(texts: Iterable<string>): Extent[] {
    const extents = [...texts].map((text) => {
      const prefix = this.#inside(text.includes('/') ? parsePrefix(text) : parseAddress(text));
      return { offset: this.#offsetOf(prefix), size: this.sizeOf(Math.min(prefix.length, this.longest)) };
    });
    let end = 0;
    return extents
      .sort((a, b) => a.offset - b.offset || b.size - a.size)
      .filter(({ offset, size }) => {
        if (offset < end) return false;
        end = offset + size;
        return true;
      });
  }

  get #unitBits(): bigint {
    return BigInt(bitsOf(this.pool.version) - this.longest);
  }

  #offsetOf({ first }: Prefix): number {
    return Number((first - this.pool.first) >> this.#unitBits);
  }

  #inside(prefix: Prefix): Prefix {
    if (contains(this.pool, prefix)) return prefix;
    throw new RangeError(`${formatPrefix(prefix)} is not in the pool ${formatPrefix(this.pool)}`);
  }
}
