// Binding points and usages of buffers, whose values the standard fixes, and what each binding point requires of
// ranges.

import { checkNumber } from '../base/arguments.ts';
import type { GlContext } from './types.ts';

export const ELEMENT_ARRAY_BUFFER = 0x8893;
export const COPY_READ_BUFFER = 0x8f36;
export const COPY_WRITE_BUFFER = 0x8f37;
export const BUFFER_SIZE = 0x8764;
const ARRAY_BUFFER = 0x8892;
const UNIFORM_BUFFER = 0x8a11;

const MAX_UNIFORM_BLOCK_SIZE = 0x8a30;
const UNIFORM_BUFFER_OFFSET_ALIGNMENT = 0x8a34;

export const STATIC_DRAW = 0x88e4;

/** The binding points for which a pool may be, and the parameter that tells the buffer bound to each. */
const BINDINGS: ReadonlyMap<number, number> = new Map([
  [ARRAY_BUFFER, 0x8894],
  [ELEMENT_ARRAY_BUFFER, 0x8895],
  [0x88eb, 0x88ed], // PIXEL_PACK_BUFFER
  [0x88ec, 0x88ef], // PIXEL_UNPACK_BUFFER
  [UNIFORM_BUFFER, 0x8a28],
  [0x8c8e, 0x8c8f], // TRANSFORM_FEEDBACK_BUFFER
  [COPY_READ_BUFFER, 0x8f36],
  [COPY_WRITE_BUFFER, 0x8f37],
]);

/** STREAM, STATIC and DYNAMIC, each with _DRAW, _READ and _COPY. */
const USAGES: ReadonlySet<number> = new Set(
  [0, 4, 8].flatMap((base) => [0, 1, 2].map((i) => 0x88e0 + base + i)),
);

/** Every offset is a multiple of it: that of any attribute, index or transform feedback. */
const LEAST_ALIGNMENT = 4;

/** The size of a uniform block is a multiple of this. */
const UNIFORM_GRANULE = 16;

/** `target`, after a check that it is a binding point of buffers. */
export function checkTarget(target: number): number {
  if (BINDINGS.has(checkNumber('target', target))) return target;
  throw new RangeError(`target must be a binding point of buffers, such as gl.ARRAY_BUFFER, not ${target}`);
}

/** `usage`, after a check that it is a usage of buffers. */
export function checkUsage(usage: number): number {
  if (USAGES.has(checkNumber('usage', usage))) return usage;
  throw new RangeError(`usage must be one of bufferData, such as gl.STATIC_DRAW, not ${usage}`);
}

/** The parameter that tells the buffer bound to `target`. */
export function bindingOf(target: number): number {
  return BINDINGS.get(target) ?? 0;
}

/** What `target` requires of ranges, in bytes. */
export function rulesOf(
  target: number,
  gl: GlContext<unknown>,
): { alignment: number; granule: number; binding: { limit: string; bytes: number } | null } {
  if (target !== UNIFORM_BUFFER)
    return { alignment: LEAST_ALIGNMENT, granule: LEAST_ALIGNMENT, binding: null };
  const numberOf = (name: number) => Number(gl.getParameter(name));
  return {
    alignment: Math.max(LEAST_ALIGNMENT, numberOf(UNIFORM_BUFFER_OFFSET_ALIGNMENT)),
    granule: UNIFORM_GRANULE,
    binding: { limit: 'MAX_UNIFORM_BLOCK_SIZE', bytes: numberOf(MAX_UNIFORM_BLOCK_SIZE) },
  };
}
