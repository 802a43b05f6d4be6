// The header of a shared heap, and the layout of everything that the heap keeps at the start of its region.
//
//   header (128 bytes) | state of the arena of pages, and the slabs, for the maximum size | rests, if sizes are kept
//   | a cell for each worker | the heap
//
// The header begins at a multiple of 64, a cache line.

import { checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import { BuddyError } from '../base/errors.ts';
import { expectFormat, expectLength } from '../base/format.ts';
import { LARGEST_UNIT, LEAST_UNIT } from '../heap/header.ts';
import type { Backing } from '../heap/memory.ts';
import type { Geometry as ArenaGeometry } from '../shared/layout.ts';
import { geometryFrom } from '../shared/state.ts';
import { type Dimensions, type Geometry, geometryFor, LARGEST_ORDER } from '../shared-slab/layout.ts';
import { unitsOf } from '../slab/size-classes.ts';
import { bufferTo } from './growth.ts';

/** "SHEP" in a little-endian buffer. */
const MAGIC = 0x50454853;
const VERSION = 3;

/** Cells of the header. */
const AT_MAGIC = 0;
const AT_VERSION = 1;
const AT_UNIT = 2;
/** In pages, so that an int32 holds 4 GiB. */
const AT_BASE = 3;
const AT_PAGE = 4;
const AT_LARGEST_SLOT = 5;
const AT_FLAGS = 6;
/** The word that belongs to the user. */
export const AT_ROOT = 7;
/**
 * Pages of the arena that the memory has room for. It only grows. In a cache line of its own, as all workers read it.
 */
export const AT_FRONTIER = 16;

const LINE = 64;
const HEADER_BYTES = 2 * LINE;

const TRACKS_OWNERS = 1;
const KEEPS_SIZES = 2;

/** The least page. */
const LEAST_PAGE = 64;

/** The numbers that a layout is derived from, besides the start of the region. */
export interface Plan extends Omit<Dimensions, 'unitShift' | 'pageShift'> {
  readonly unit: number;
  readonly page: number;
  readonly keepSizes: boolean;
}

/** Where everything lies. All numbers but those of `g` and `slabs` are bytes. */
export interface Layout {
  readonly unit: number;
  readonly page: number;
  /** Where page 0 is: at or before the region. */
  readonly base: number;
  readonly header: number;
  readonly state: number;
  /**
   * [unit]: the bytes of the block there that were not asked for, as uint16; `probes` if sizes are not kept. Blocks of
   * 64 KiB or more have the high 16 bits at their second unit.
   */
  readonly rests: number;
  /** [slot - 1]: a cell for the worker in that slot alone, to find out whether two buffers are one memory. */
  readonly probes: number;
  /** End of everything that the heap keeps for itself. */
  readonly end: number;
  /** The arena of pages. */
  readonly g: ArenaGeometry;
  readonly slabs: Geometry;
}

/** Where the header of a region that begins at `start` lies. */
export function headerAt(start: number): number {
  return Math.ceil(start / LINE) * LINE;
}

/** The layout of a region that begins at `start`. */
export function layoutOf(start: number, plan: Plan): Layout {
  const { unit, page, base, pages, keepSizes } = plan;
  const header = headerAt(start);
  const state = header + HEADER_BYTES;
  const slabs = geometryFor({ ...plan, unitShift: Math.log2(unit), pageShift: Math.log2(page) });
  const rests = state + 4 * slabs.length;
  const probes = rests + (keepSizes ? Math.ceil((pages * page) / unit / 2) * 4 : 0);
  const g = slabs.arena;
  return { unit, page, base, header, state, rests, probes, end: probes + 4 * g.slots, g, slabs };
}

/** The cells of the header. */
export function headerOf(buffer: ArrayBufferLike, layout: Layout): Int32Array {
  return new Int32Array(buffer, layout.header, HEADER_BYTES / 4);
}

/** Writes all of the header. The state of the arena must be there already. */
export function writeHeader(h: Int32Array, layout: Layout, frontier: number): void {
  const { unit, page, base, slabs } = layout;
  h[AT_UNIT] = unit;
  h[AT_BASE] = base / page;
  h[AT_PAGE] = page;
  h[AT_LARGEST_SLOT] = largestSlotOf(slabs);
  h[AT_FLAGS] = (slabs.tracked ? TRACKS_OWNERS : 0) | (layout.rests < layout.probes ? KEEPS_SIZES : 0);
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
  const { base, page, g } = layout;
  const frontier = Atomics.load(h, AT_FRONTIER);
  if (frontier <= Math.ceil((layout.end - base) / page) || frontier > g.capacity) {
    throw new BuddyError(
      'CORRUPT',
      `the heap's header says that ${frontier} of its ${g.capacity} pages are there`,
    );
  }
  const end = base + frontier * page;
  // Not `buffer`: another worker may have made the heap grow since.
  expectLength(what, bufferTo(backing, end).byteLength, end);
  return layout;
}

/** The layout according to the header `h` and the beginning of the state, `s`. */
function layoutIn(h: Int32Array, s: Int32Array, start: number): Layout {
  try {
    const unit = checkPowerOfTwo('unit', h[AT_UNIT], LEAST_UNIT, LARGEST_UNIT);
    const page = checkPowerOfTwo('page', h[AT_PAGE], Math.max(unit, LEAST_PAGE), LARGEST_UNIT);
    const largestSlot = h[AT_LARGEST_SLOT];
    if (largestSlot !== 0) checkPowerOfTwo('largest slot', largestSlot, unit, page << LARGEST_ORDER);
    const base = checkWithin('base', h[AT_BASE], 0, Math.floor(headerAt(start) / page)) * page;
    const flags = checkWithin('flags', h[AT_FLAGS], 0, TRACKS_OWNERS | KEEPS_SIZES);
    const { capacity, slots } = geometryFrom(s);
    return layoutOf(start, {
      unit,
      page,
      base,
      largestSlot,
      pages: capacity,
      workers: slots,
      tracked: (flags & TRACKS_OWNERS) !== 0,
      keepSizes: (flags & KEEPS_SIZES) !== 0,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BuddyError('CORRUPT', `the heap's header: ${error.message}`);
  }
}

function largestSlotOf({ classes, unitShift }: Geometry): number {
  return classes === 0 ? 0 : unitsOf(classes - 1) << unitShift;
}
