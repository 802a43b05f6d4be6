// Everyone who takes part from JavaScript. Ours comes first: it is the base of the ratios.

import { buddy } from './buddy.ts';
import { codemix } from './codemix.ts';
import type { Contender } from './contender.ts';
import { empty } from './empty.ts';
import { memPool } from './mem-pool.ts';
import { reference } from './reference.ts';
import { typedArray } from './typed-array.ts';

export const OURS = buddy;

/** All but ours. */
export const OTHERS: readonly Contender[] = [reference, memPool, codemix, typedArray, empty];
