// A small seeded generator of pseudo-random numbers, so that every failure can be run again.

/** Marsaglia's 32-bit xorshift (Journal of Statistical Software 8 (14), 2003). Good enough to pick operations. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A number in (0, 1). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }

  /** An integer in 0 … n-1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}
