// What a heap is made with, and the checks of it.

import { checkBoolean, checkObject, checkPowerOfTwo, checkWithin } from '../base/arguments.ts';
import type { Bounds } from './extent.ts';
import { checkGrowth, type GrowthOptions } from './growth.ts';
import { LARGEST_UNIT, LEAST_UNIT } from './header.ts';
import { ADDRESSABLE, type HeapMemory } from './memory.ts';

/** What a {@link Heap} is made with. All numbers are bytes. */
export interface HeapOptions<B extends ArrayBufferLike = ArrayBufferLike> {
  /** The memory to manage. Either this or `size` must be given. */
  readonly memory?: HeapMemory<B>;
  /**
   * Makes a memory of that many bytes: an ArrayBuffer; with a larger `maximum` a WebAssembly.Memory, of whole pages of
   * 64 KiB, or with `resizable` a resizable ArrayBuffer.
   */
  readonly size?: number;
  /**
   * Whether the memory that `size` and `maximum` make is a resizable ArrayBuffer. Views of that stay valid when the heap
   * grows, but many Web APIs refuse them.
   */
  readonly resizable?: boolean;
  /** First byte that the heap may use; 0 unless given. For a WebAssembly module it is the value of `__heap_base`. */
  readonly start?: number;
  /**
   * End of the bytes that the heap may use. With an `end` the heap never grows. Unless given, it is the memory's end.
   */
  readonly end?: number;
  /** The heap does not grow beyond this byte. Unless given, it is what the memory allows, at most 4 GiB. */
  readonly maximum?: number;
  /** The least block, and what every pointer is a multiple of: a power of two from 8 to 65536; 16 unless given. */
  readonly unit?: number;
  /**
   * Whether the heap's own state lies in the same memory, so that a copy of the buffer is a copy of the heap, for
   * {@link Heap.attach}. The state takes some 2 % of a large memory either way.
   */
  readonly embed?: boolean;
  /** How much memory the heap takes when it has no room. */
  readonly growth?: GrowthOptions;
  /**
   * Whether the heap may use bytes that another party has added to its memory. Unless given, it does so in a buffer, but
   * not in a WebAssembly.Memory, where they are mostly those of a second allocator.
   */
  readonly shareGrowth?: boolean;
  /**
   * Whether the size that was asked for is kept of each block, for {@link Heap.lengthOf}: 2 bytes per unit, which may be
   * 32768 at most.
   */
  readonly keepSizes?: boolean;
  /** Whether a request without room throws a BuddyError `NO_ROOM`, instead of returning 0 or null. */
  readonly throwNoRoom?: boolean;
}

/** What the options of every kind of heap have in common. */
interface CommonOptions {
  readonly memory?: unknown;
  readonly size?: number;
  readonly maximum?: number;
  readonly unit?: number;
}

/** Checks the common options. Throws a TypeError or a RangeError. */
export function checkCommonOptions(options: CommonOptions): void {
  const { memory, size, maximum, unit } = checkObject('options', options);
  if ((memory === undefined) === (size === undefined)) {
    throw new TypeError('a heap takes either a memory or a size');
  }
  if (unit !== undefined) checkPowerOfTwo('unit', unit, LEAST_UNIT, LARGEST_UNIT);
  if (maximum !== undefined) checkWithin('maximum', maximum, 1, ADDRESSABLE);
  if (size !== undefined) checkWithin('size', size, 1, maximum ?? ADDRESSABLE);
}

const SWITCHES = ['embed', 'resizable', 'shareGrowth', 'keepSizes', 'throwNoRoom'] as const;

/** Checks the options that do not depend on the memory. Throws as the constructor of Heap says. */
export function checkOptions(options: HeapOptions): void {
  checkCommonOptions(options);
  const { end, maximum, growth } = options;
  if (end !== undefined && maximum !== undefined) {
    throw new TypeError('a heap with an end never grows: it takes no maximum');
  }
  for (const name of SWITCHES) {
    const value = options[name];
    if (value !== undefined) checkBoolean(name, value);
  }
  // The bytes of a block that were not asked for are kept in 16 bits, and of `malloc(0)` those are the whole page.
  if (options.keepSizes && options.unit === LARGEST_UNIT)
    throw new RangeError(`keepSizes takes no unit of ${LARGEST_UNIT} bytes`);
  if (growth !== undefined) checkGrowth(growth);
}

/**
 * The bounds of the heap that checked `options` describe in a memory of `bytes` bytes. Throws a TypeError or a
 * RangeError.
 */
export function boundsOf(options: HeapOptions, bytes: number): Bounds {
  const { start = 0, end, maximum, unit = 16, embed = false, keepSizes = false } = options;
  const length = Math.min(bytes, ADDRESSABLE);
  checkWithin('start', start, 0, length);
  if (end !== undefined) checkWithin('end', end, start, length);
  return {
    unit,
    start,
    end: end ?? length,
    maximum: end === undefined ? (maximum ?? ADDRESSABLE) : 0,
    embed,
    keepSizes,
  };
}
