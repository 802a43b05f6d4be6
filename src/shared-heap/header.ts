// What a shared heap keeps at the start of its region, and how that is laid out.
//
//   header (128 bytes) | state of the arena, for the maximum size | a cell for each worker | the heap
//
// The header begins at a multiple of 64, a cache line.

import { checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { expectFormat, expectLength } from '../base/format.ts';
import { LARGEST_UNIT, LEAST_UNIT } from '../heap/header.ts';
import type { Backing } from '../heap/memory.ts';
import type { Geometry } from '../shared/layout.ts';
import { geometryFrom } from '../shared/state.ts';
import { bufferTo } from './growth.ts';

/** "SHEP" in a little-endian buffer. */
const MAGIC = 0x50454853;
const VERSION = 2;

/** Cells of the header. */
const AT_MAGIC = 0;
const AT_VERSION = 1;
const AT_UNIT = 2;
/** In units, so that an int32 holds 4 GiB. */
const AT_BASE = 3;
/**
 * Units of the arena that the memory has room for. It only grows. In a cache line of its own, as all workers read it.
 */
export const AT_FRONTIER = 16;

const LINE = 64;
const HEADER_BYTES = 2 * LINE;

/** Where everything lies, and the geometry of the arena. All numbers but those of `g` are bytes. */
export interface Layout {
  readonly unit: number;
  /** Where unit 0 is: at or before the region. */
  readonly base: number;
  readonly header: number;
  readonly state: number;
  /** [slot - 1]: a cell for the worker in that slot alone, to find out whether two buffers are one memory. */
  readonly probes: number;
  /** End of all that. */
  readonly end: number;
  readonly g: Geometry;
}

/** Where the header of a region that begins at `start` lies. */
export function headerAt(start: number): number {
  return Math.ceil(start / LINE) * LINE;
}

/** The layout of a region that begins at `start`. */
export function layoutOf(start: number, unit: number, base: number, g: Geometry): Layout {
  const header = headerAt(start);
  const state = header + HEADER_BYTES;
  const probes = state + 4 * g.length;
  return { unit, base, header, state, probes, end: probes + 4 * g.slots, g };
}

/** The cells of the header. */
export function headerOf(buffer: ArrayBufferLike, layout: Layout): Int32Array {
  return new Int32Array(buffer, layout.header, HEADER_BYTES / 4);
}

/** Writes all of the header. The state of the arena must be there already. */
export function writeHeader(h: Int32Array, { unit, base }: Layout, frontier: number): void {
  h[AT_UNIT] = unit;
  h[AT_BASE] = base / unit;
  Atomics.store(h, AT_FRONTIER, frontier);
  Atomics.store(h, AT_VERSION, VERSION);
  Atomics.store(h, AT_MAGIC, MAGIC);
}

/** Reads the layout of the heap at `start`. Throws a BuddyError `FOREIGN`, `VERSION`, `TRUNCATED` or `CORRUPT`. */
export function readLayout(backing: Backing, start: number): Layout {
  const { buffer } = backing;
  const pos = headerAt(start);
  const what = `a shared heap at ${pos}`;
  expectLength(what, buffer.byteLength, pos + HEADER_BYTES + LINE);
  const h = new Int32Array(buffer, pos, HEADER_BYTES / 4);
  // The creator stores MAGIC last: an atomic load that sees it sees the rest of the header.
  Atomics.load(h, AT_MAGIC);
  expectFormat(what, h, h.length, MAGIC, VERSION);
  const layout = layoutIn(h, new Int32Array(buffer, pos + HEADER_BYTES, LINE / 4), start);
  const { base, unit, g } = layout;
  const frontier = Atomics.load(h, AT_FRONTIER);
  if (frontier <= (layout.end - base) / unit || frontier > g.capacity) {
    throw new BuddyError(
      'CORRUPT',
      `the heap's header says that ${frontier} of its ${g.capacity} units are there`,
    );
  }
  const end = base + frontier * unit;
  // Not `buffer`: another worker may have made the heap grow since.
  expectLength(what, bufferTo(backing, end).byteLength, end);
  return layout;
}

/** The layout according to the header `h` and the beginning of the state, `s`. */
function layoutIn(h: Int32Array, s: Int32Array, start: number): Layout {
  try {
    const unit = checkPowerOfTwo('unit', h[AT_UNIT], LEAST_UNIT, LARGEST_UNIT);
    const base = checkWithin('base', h[AT_BASE], 0, Math.floor(headerAt(start) / unit)) * unit;
    return layoutOf(start, unit, base, geometryFrom(s));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BuddyError('CORRUPT', `the heap's header: ${error.message}`);
  }
}
