// The header that an embedded heap keeps at the start of its region, by which `attach` finds the heap.

import { BuddyError } from '../base/errors.ts';
import { expectFormat, expectLength } from '../base/format.ts';

/** The content of a header. All numbers are bytes. */
export interface Header {
  readonly unit: number;
  /** End of the region. */
  readonly end: number;
  /** The heap's growth limit; 0 if it never grows. */
  readonly maximum: number;
  /** Where the books lie. */
  readonly state: number;
  /** Bytes of a page. */
  readonly page: number;
  readonly keepSizes: boolean;
  readonly shareGrowth: boolean;
}

/** Bounds of a heap's unit. */
export const LEAST_UNIT = 8;
export const LARGEST_UNIT = 65_536;

/** The least page. */
const LEAST_PAGE = 64;

/** Bytes that the header takes. */
export const HEADER_BYTES = 32;

/** "HEAP" in a little-endian buffer. */
const MAGIC = 0x50414548;
const VERSION = 2;

const AT_MAGIC = 0;
const AT_VERSION = 1;
const AT_UNIT = 2;
/** The next three are in units, so that a uint32 holds 4 GiB. */
const AT_END = 3;
const AT_STATE = 4;
const AT_MAXIMUM = 5;
const AT_PAGE = 6;
const AT_FLAGS = 7;

const KEEPS_SIZES = 1;
const SHARES_GROWTH = 2;

/** Where the header of a region that begins at `start` lies. */
export function headerAt(start: number): number {
  return Math.ceil(start / 8) * 8;
}

/**
 * A place for unit 0 of a region of the bytes from `first` up to `end`: the last multiple, not beyond `first`, of a
 * power of two that no block of the region exceeds. The arena is then less than twice as large as the region, wherever
 * that lies.
 */
export function unitZeroFor(unit: number, first: number, end: number): number {
  const units = Math.max(1, Math.floor(end / unit) - Math.floor(first / unit));
  const largest = unit * 2 ** Math.floor(Math.log2(units));
  return Math.floor(first / largest) * largest;
}

/** Writes the header of the region that begins at `start`. */
export function writeHeader(buffer: ArrayBufferLike, start: number, header: Header): void {
  const h = new Uint32Array(buffer, headerAt(start), HEADER_BYTES / 4);
  h.fill(0);
  h[AT_MAGIC] = MAGIC;
  h[AT_VERSION] = VERSION;
  h[AT_UNIT] = header.unit;
  h[AT_END] = header.end / header.unit;
  h[AT_STATE] = header.state / header.unit;
  h[AT_MAXIMUM] = header.maximum / header.unit;
  h[AT_PAGE] = header.page;
  h[AT_FLAGS] = (header.keepSizes ? KEEPS_SIZES : 0) | (header.shareGrowth ? SHARES_GROWTH : 0);
}

/**
 * Reads the header of the region that begins at `start`. Its numbers do not contradict each other or the length of the
 * buffer. Throws a BuddyError `FOREIGN`, `VERSION`, `TRUNCATED` or `CORRUPT`.
 */
export function readHeader(buffer: ArrayBufferLike, start: number): Header {
  const pos = headerAt(start);
  expectLength(`an embedded heap at ${pos}`, buffer.byteLength, pos + HEADER_BYTES);
  const h = new Uint32Array(buffer, pos, HEADER_BYTES / 4);
  expectFormat(`an embedded heap at ${pos}`, h, h.length, MAGIC, VERSION);
  const unit = h[AT_UNIT];
  if (unit < LEAST_UNIT || unit > LARGEST_UNIT || (unit & (unit - 1)) !== 0) {
    throw new BuddyError('CORRUPT', `the header of the heap says that its unit is ${unit}`);
  }
  const page = h[AT_PAGE];
  if (page < Math.max(unit, LEAST_PAGE) || page > LARGEST_UNIT || (page & (page - 1)) !== 0) {
    throw new BuddyError('CORRUPT', `the header of the heap says that its page is ${page}`);
  }
  const header = {
    unit,
    page,
    end: h[AT_END] * unit,
    state: h[AT_STATE] * unit,
    maximum: h[AT_MAXIMUM] * unit,
    keepSizes: (h[AT_FLAGS] & KEEPS_SIZES) !== 0,
    shareGrowth: (h[AT_FLAGS] & SHARES_GROWTH) !== 0,
  };
  expectLength('the heap', buffer.byteLength, header.end);
  if (header.state < pos + HEADER_BYTES || header.state >= header.end) {
    throw new BuddyError('CORRUPT', `the header of the heap says that its state lies at ${header.state}`);
  }
  if (header.maximum !== 0 && header.maximum < header.end) {
    throw new BuddyError('CORRUPT', `the heap ends at ${header.end}, beyond its maximum ${header.maximum}`);
  }
  return header;
}
