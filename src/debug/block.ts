// A block with its red zones and its history: what is painted on its bytes, and what is wrong with them.

import { BuddyError } from '../base/errors.ts';
import { framesOf, type Site } from './site.ts';

/** What the bytes of a block hold that `malloc` gave and nobody has written. */
export const UNWRITTEN = 0xcd;
/** What the bytes of a freed block hold. */
export const FREED = 0xdd;
/** What the bytes of red zones hold. */
export const RED_ZONE = 0xfd;

/**
 * A block: `base` <= `ptr` <= `ptr + size` < `end`, absolute bytes. The user has `size` bytes from `ptr` on; all else
 * from `base` to `end`, which is what the heap gave, is red zone.
 */
export interface DebugBlock {
  readonly base: number;
  readonly ptr: number;
  readonly end: number;
  readonly alignment: number;
  /** From 1 up; differs from that of the blocks that had this pointer before. */
  readonly generation: number;
  readonly allocated: Site;
  size: number;
  /** Set once the block is freed; it is in quarantine from then on. */
  freed: Site | undefined;
}

/** Paints what no program may write: the red zones, and a freed block's bytes. */
export function paint(buffer: ArrayBufferLike, block: DebugBlock): void {
  const { base, ptr, end, size } = block;
  const bytes = new Uint8Array(buffer, base, end - base);
  bytes.fill(RED_ZONE, 0, ptr - base);
  if (block.freed !== undefined) bytes.fill(FREED, ptr - base, ptr - base + size);
  bytes.fill(RED_ZONE, ptr - base + size);
}

/** What of the paint is gone: undefined when nothing is. O(bytes looked at). */
export function damageOf(buffer: ArrayBufferLike, block: DebugBlock): BuddyError | undefined {
  const { base, ptr, end, size } = block;
  const before = overwritten(buffer, base, ptr, RED_ZONE);
  if (before !== undefined) return damage('REDZONE', `the red zone before ${describe(block)}`, before, block);
  const after = overwritten(buffer, ptr + size, end, RED_ZONE);
  if (after !== undefined) return damage('REDZONE', `the red zone behind ${describe(block)}`, after, block);
  if (block.freed === undefined) return undefined;
  const inside = overwritten(buffer, ptr, ptr + size, FREED);
  if (inside === undefined) return undefined;
  return damage('USE_AFTER_FREE', `${describe(block)} was written to after it was freed`, inside, block);
}

/** What a message calls the block. */
export function describe(block: DebugBlock): string {
  return `the block of ${count(block.size, 'byte')} at ${block.ptr}`;
}

/** Where the block was allocated and freed, for the end of a message. */
export function historyOf(block: DebugBlock): string {
  const allocated = `\nallocated\n${framesOf(block.allocated)}`;
  return block.freed === undefined ? allocated : `${allocated}\nfreed\n${framesOf(block.freed)}`;
}

/** `3 blocks`, `1 block`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function damage(
  code: 'REDZONE' | 'USE_AFTER_FREE',
  what: string,
  where: string,
  block: DebugBlock,
): BuddyError {
  return new BuddyError(code, `${what}: ${where}${historyOf(block)}`);
}

/** Which bytes from `from` to `to` are not `paint` any more, in words; undefined when all are. */
function overwritten(buffer: ArrayBufferLike, from: number, to: number, color: number): string | undefined {
  const bytes = new Uint8Array(buffer, from, to - from);
  // A plain loop: it runs over all bytes of every block, and takes a fifth of the time of findIndex.
  let first = 0;
  while (first < bytes.length && bytes[first] === color) first++;
  if (first === bytes.length) return undefined;
  const last = bytes.findLastIndex((byte) => byte !== color);
  const shown = Array.from(bytes.subarray(first, Math.min(last + 1, first + SHOWN)), hex).join(' ');
  const more = last + 1 > first + SHOWN ? ' …' : '';
  return `bytes ${from + first} to ${from + last} hold ${shown}${more}`;
}

/** Bytes of a damage that a message shows. */
const SHOWN = 16;

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
