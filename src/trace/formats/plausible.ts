// Whether integers without a header are a trace. Almost any file of small or large numbers can be read as one.

import type { Trace } from '../trace.ts';

/** Fewer operations than this do not show what they are. */
const TOO_FEW_TO_TELL = 32;

/** Programs free at least a part of what they allocate, and other data hardly ever has a valid free. */
const LEAST_FREES = 1 / 32;

/** Without frees: at least half of the blocks have a size from 1 byte up to this. */
const COMMON_BYTES = 2 ** 16;

/**
 * Whether these operations, read from a file that does not say what it is, are those of a program: if there are fewer
 * than 32, if one in 32 is a free, or if at least half of the allocations ask for 1 to 65,536 bytes. Zeros are none of
 * that, nor are text, packed data and images. O(n).
 */
export function isPlausible({ ops, allocations, frees }: Trace): boolean {
  if (ops.length < TOO_FEW_TO_TELL || frees >= LEAST_FREES * ops.length) return true;
  let common = 0;
  for (const op of ops) if (op > 0 && op <= COMMON_BYTES) common++;
  return common >= allocations / 2;
}
