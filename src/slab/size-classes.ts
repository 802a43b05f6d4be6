// Size classes: the sizes of slots. The first 16 are the multiples of a unit (as in jemalloc: Evans 2006), then each
// octave has eight, so that a request is rounded up by an eighth at most. (mimalloc: Leijen et al. 2019, has four.)
//
// Sizes are counted in units here, the least slot. A class is a number from 0 up.

/** The class of a request for `q + 1` units, 0 <= q < 2^31. */
export const classOf = (q: number): number => {
  if (q < 16) return q;
  const octave = 28 - Math.clz32(q);
  return (octave << 3) + (q >>> octave);
};

/** Units of a slot of class `c`. */
export const unitsOf = (c: number): number => {
  return c < 16 ? c + 1 : ((c & 7) + 9) << ((c >>> 3) - 1);
};

/** Slot numbers are products of this many bits. */
const INVERSE_BITS = 20;

/**
 * What {@link slotOf} multiplies by: 2^20 / units, rounded up. Exact for multiples of `units` in slabs of fewer than
 * 2^12 units: slot k gives k + k * e / 2^20, and k * e is less than the units of the slab.
 */
export const inverseOf = (units: number): number => {
  return Math.ceil(2 ** INVERSE_BITS / units);
};

/**
 * The slot that starts `units` units into a slab, of fewer than 2^12; any number if none does. The product may exceed
 * 2^31, but not 2^32.
 */
export const slotOf = (units: number, inverse: number): number => {
  return Math.imul(units, inverse) >>> INVERSE_BITS;
};
