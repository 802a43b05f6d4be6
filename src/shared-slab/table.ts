// The table of the size classes, for the hot paths. It is one array, because each array costs a load of its bounds. The
// constants are in a file of their own, because the bundler makes literals of such constants only.

import type { Cells } from '../shared/cells.ts';
import { inverseOf, unitsOf } from '../slab/size-classes.ts';
import { type Geometry, leastOrder, mostOrder, slotBytes } from './layout.ts';
import { CLASS_SHIFT, HEAD, WORD, WORD_BASE } from './own.ts';

/** Bytes and units of a slot, and the inverse of those units. */
export const T_SIZE = 0;
export const T_UNITS = 1;
export const T_INVERSE = 2;
/** WORD, WORD_BASE and HEAD of the worker's own cells. */
export const T_WORD = 3;
export const T_BASE = 4;
export const T_HEAD = 5;
/** log2 of the pages of the least slab and of the largest. */
export const T_LEAST = 6;
export const T_MOST = 7;
export const T_SHIFT = 3;

/** The table of a worker with those own cells. */
export function tableOf(G: Geometry, own: Cells): Int32Array {
  const table = new Int32Array(G.classes << T_SHIFT);
  for (let c = 0; c < G.classes; c++) {
    const t = c << T_SHIFT;
    const k = c << CLASS_SHIFT;
    table[t + T_SIZE] = slotBytes(G, c);
    table[t + T_UNITS] = unitsOf(c);
    table[t + T_INVERSE] = inverseOf(unitsOf(c));
    table[t + T_WORD] = own.read(k + WORD);
    table[t + T_BASE] = own.read(k + WORD_BASE);
    table[t + T_HEAD] = own.read(k + HEAD);
    table[t + T_LEAST] = leastOrder(G, c);
    table[t + T_MOST] = mostOrder(G, c);
  }
  return table;
}
