// What an embedded heap leaves at the start of its region, by which it is found again.

import { BuddyError } from '../base/errors.ts';

/** What the header says. All numbers are bytes. */
export interface Header {
  readonly unit: number;
  /** End of the region. */
  readonly end: number;
  /** The heap's growth limit; 0 when it never grows. */
  readonly maximum: number;
  /** Where the allocator's state lies. */
  readonly state: number;
}

/** Bounds of a heap's unit. */
export const LEAST_UNIT = 8;
export const LARGEST_UNIT = 65_536;

/** Bytes that the header takes. */
export const HEADER_BYTES = 32;

/** "HEAP" in a little-endian buffer. */
const MAGIC = 0x50414548;
const VERSION = 1;

const AT_MAGIC = 0;
const AT_VERSION = 1;
const AT_UNIT = 2;
/** The others are in units, so that 4 GiB has room. */
const AT_END = 3;
const AT_STATE = 4;
const AT_MAXIMUM = 5;

/** Where the header of a region that begins at `start` lies. */
export function headerAt(start: number): number {
  return Math.ceil(start / 8) * 8;
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
}

/** Reads it. Throws a BuddyError `FOREIGN`, `TRUNCATED`, `VERSION` or `CORRUPT`. */
export function readHeader(buffer: ArrayBufferLike, start: number): Header {
  const at = headerAt(start);
  if (buffer.byteLength < at + HEADER_BYTES) {
    throw new BuddyError('TRUNCATED', `no header of a heap has room at ${at} in ${buffer.byteLength} bytes`);
  }
  const h = new Uint32Array(buffer, at, HEADER_BYTES / 4);
  if (h[AT_MAGIC] !== MAGIC) throw new BuddyError('FOREIGN', `there is no embedded heap at ${at}`);
  if (h[AT_VERSION] !== VERSION) {
    throw new BuddyError(
      'VERSION',
      `the heap has format version ${h[AT_VERSION]}; this code reads ${VERSION}`,
    );
  }
  const unit = h[AT_UNIT];
  if (unit < LEAST_UNIT || unit > LARGEST_UNIT || (unit & (unit - 1)) !== 0) {
    throw new BuddyError('CORRUPT', `the heap says that its unit is ${unit}`);
  }
  const header = { unit, end: h[AT_END] * unit, state: h[AT_STATE] * unit, maximum: h[AT_MAXIMUM] * unit };
  if (header.end > buffer.byteLength) {
    throw new BuddyError(
      'TRUNCATED',
      `the heap ends at ${header.end}, but its memory at ${buffer.byteLength}`,
    );
  }
  if (header.state < at + HEADER_BYTES || header.state >= header.end) {
    throw new BuddyError('CORRUPT', `the heap says that its state lies at ${header.state}`);
  }
  if (header.maximum !== 0 && header.maximum < header.end) {
    throw new BuddyError('CORRUPT', `the heap ends at ${header.end}, beyond its maximum ${header.maximum}`);
  }
  return header;
}
