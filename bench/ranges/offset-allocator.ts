// The algorithm of OffsetAllocator (S. Aaltonen, 2023), written from its description: two-level segregated fit with bins that are
// small floating-point numbers, and a record per region.
//
// A bin's number is a float of 5 bits of exponent and 3 of mantissa, so there are 8 bins an octave. A free region lies in the
// bin of its size rounded down. A request takes any region of the lowest bin that is not empty from that of its size rounded up
// on: two bitmaps find it, one of the exponents that have regions, and one of the mantissas for each exponent. What is left
// of the region becomes a free region of its own. A region that is given back joins its free neighbours.

const MANTISSA_BITS = 3;
const MANTISSAS = 1 << MANTISSA_BITS;
const BINS = 32 * MANTISSAS;
const NONE = -1;

/** Number of the bin of `size`, a positive int32, rounded down. Sizes below 16 have bins of their own. */
export function binDown(size: number): number {
  if (size < MANTISSAS) return size;
  const shift = 31 - Math.clz32(size) - MANTISSA_BITS;
  return ((shift + 1) << MANTISSA_BITS) | ((size >>> shift) & (MANTISSAS - 1));
}

/** The same rounded up. */
export function binUp(size: number): number {
  const bin = binDown(size);
  return sizeOfBin(bin) < size ? bin + 1 : bin;
}

/** The size that a bin's number stands for. */
export function sizeOfBin(bin: number): number {
  const exponent = bin >>> MANTISSA_BITS;
  const mantissa = bin & (MANTISSAS - 1);
  return exponent === 0 ? mantissa : (MANTISSAS | mantissa) * 2 ** (exponent - 1);
}

const lowestBit = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** An allocator of ranges that hands out the numbers of its records. */
export class OffsetAllocator {
  // The records, of free and live regions alike.
  readonly #offset: Int32Array;
  readonly #size: Int32Array;
  readonly #isLive: Uint8Array;
  /** The regions beside it. */
  readonly #below: Int32Array;
  readonly #above: Int32Array;
  /** The regions before and after it in its bin. */
  readonly #previous: Int32Array;
  readonly #next: Int32Array;
  /** Records that are not in use. */
  readonly #spare: Int32Array;
  #spares: number;

  readonly #first = new Int32Array(BINS).fill(NONE);
  /** [exponent]: the mantissas of the bins that are not empty. */
  readonly #mantissas = new Uint8Array(BINS / MANTISSAS);
  /** The exponents of the bins that are not empty. */
  #exponents = 0;

  /** One free region of `capacity` units; there can be `regions` of them, live and free ones together. */
  constructor(capacity: number, regions: number) {
    this.#offset = new Int32Array(regions);
    this.#size = new Int32Array(regions);
    this.#isLive = new Uint8Array(regions);
    this.#below = new Int32Array(regions);
    this.#above = new Int32Array(regions);
    this.#previous = new Int32Array(regions);
    this.#next = new Int32Array(regions);
    this.#spare = new Int32Array(regions).map((_, i) => regions - 1 - i);
    this.#spares = regions;
    const all = this.#insert(0, capacity);
    this.#below[all] = NONE;
    this.#above[all] = NONE;
  }

  /** The record of a region of exactly `size` units; -1 if no bin has one that is surely large enough. */
  alloc(size: number): number {
    const least = binUp(size);
    let exponent = least >>> MANTISSA_BITS;
    let mantissas = this.#mantissas[exponent] & (-1 << (least & (MANTISSAS - 1)));
    if (mantissas === 0) {
      const exponents = exponent === 31 ? 0 : this.#exponents & (-2 << exponent);
      if (exponents === 0) return NONE;
      exponent = lowestBit(exponents);
      mantissas = this.#mantissas[exponent];
    }
    const region = this.#first[(exponent << MANTISSA_BITS) | lowestBit(mantissas)];
    this.#unlink(region);
    this.#isLive[region] = 1;
    const left = this.#size[region] - size;
    if (left > 0) {
      this.#size[region] = size;
      const rest = this.#insert(this.#offset[region] + size, left);
      const above = this.#above[region];
      this.#below[rest] = region;
      this.#above[rest] = above;
      if (above !== NONE) this.#below[above] = rest;
      this.#above[region] = rest;
    }
    return region;
  }

  /** Gives back a region. */
  free(region: number): void {
    let offset = this.#offset[region];
    let size = this.#size[region];
    let below = this.#below[region];
    let above = this.#above[region];
    if (below !== NONE && this.#isLive[below] === 0) {
      offset = this.#offset[below];
      size += this.#size[below];
      this.#remove(below);
      below = this.#below[below];
    }
    if (above !== NONE && this.#isLive[above] === 0) {
      size += this.#size[above];
      this.#remove(above);
      above = this.#above[above];
    }
    this.#spare[this.#spares++] = region;
    const joined = this.#insert(offset, size);
    this.#below[joined] = below;
    this.#above[joined] = above;
    if (below !== NONE) this.#above[below] = joined;
    if (above !== NONE) this.#below[above] = joined;
  }

  /** The first unit of a region. */
  offsetOf(region: number): number {
    return this.#offset[region];
  }

  /** A new record of a free region, in its bin. */
  #insert(offset: number, size: number): number {
    const region = this.#spare[--this.#spares];
    const bin = binDown(size);
    const head = this.#first[bin];
    this.#offset[region] = offset;
    this.#size[region] = size;
    this.#isLive[region] = 0;
    this.#previous[region] = NONE;
    this.#next[region] = head;
    if (head !== NONE) this.#previous[head] = region;
    this.#first[bin] = region;
    this.#mantissas[bin >>> MANTISSA_BITS] |= 1 << (bin & (MANTISSAS - 1));
    this.#exponents |= 1 << (bin >>> MANTISSA_BITS);
    return region;
  }

  /** Takes a free region out of its bin. */
  #unlink(region: number): void {
    const previous = this.#previous[region];
    const next = this.#next[region];
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) {
      this.#next[previous] = next;
      return;
    }
    const bin = binDown(this.#size[region]);
    this.#first[bin] = next;
    if (next !== NONE) return;
    const exponent = bin >>> MANTISSA_BITS;
    this.#mantissas[exponent] &= ~(1 << (bin & (MANTISSAS - 1)));
    if (this.#mantissas[exponent] === 0) this.#exponents &= ~(1 << exponent);
  }

  /** Takes a free region out of its bin and gives up its record. */
  #remove(region: number): void {
    this.#unlink(region);
    this.#spare[this.#spares++] = region;
  }
}
