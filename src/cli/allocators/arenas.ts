// BuddyAllocator, by blocks and by ranges, in an arena that grows.

import { MAX_CAPACITY } from '../../base/arguments.ts';
import { orderOf } from '../../base/word.ts';
import { BuddyAllocator } from '../../core/allocator.ts';
import { newGapTable } from '../../core/gap-table.ts';
import type { Create } from './contender.ts';

/** Bytes in which a program keeps the size of a range, which `release` wants. */
const SIZE_BYTES = 4;

/** `alloc` and `free`. */
export const buddy: Create = ({ unit }) => {
  const allocator = new BuddyAllocator({ capacity: 1 });
  return {
    allocate(bytes) {
      const size = Math.ceil(bytes / unit);
      const offset = allocator.alloc(size);
      return bytesAt(offset < 0 ? growing(allocator, () => allocator.alloc(size)) : offset, unit);
    },
    free: (address) => void allocator.free(address / unit),
    blockBytes: (_, bytes) => unit * 2 ** orderOf(Math.ceil(bytes / unit)),
    stateBytes: (end) => BuddyAllocator.bytesFor(Math.ceil(end / unit)),
  };
};

/** `allocRange` and `release`. The state includes the gap table, and the sizes that the program has to keep. */
export const ranges: Create = ({ unit }) => {
  const allocator = new BuddyAllocator({ capacity: 1 });
  let live = 0;
  let most = 0;
  return {
    allocate(bytes) {
      const size = Math.ceil(bytes / unit);
      let offset = allocator.allocRange(size);
      if (offset < 0) offset = growing(allocator, () => allocator.allocRange(size));
      if (offset >= 0) most = Math.max(most, ++live);
      return bytesAt(offset, unit);
    },
    free(address, bytes) {
      allocator.release(address / unit, Math.ceil(bytes / unit));
      live--;
    },
    blockBytes: (_, bytes) => unit * Math.ceil(bytes / unit),
    stateBytes(end) {
      const capacity = Math.ceil(end / unit);
      return BuddyAllocator.bytesFor(capacity) + newGapTable(capacity).byteLength + most * SIZE_BYTES;
    },
  };
};

/** The result of `alloc` once the arena has room for it; -1 if the largest arena has none. */
function growing(allocator: BuddyAllocator, alloc: () => number): number {
  let offset = -1;
  while (offset < 0 && allocator.capacity < MAX_CAPACITY) {
    allocator.grow(allocator.capacity * 2);
    offset = alloc();
  }
  return offset;
}

/** The address of a unit; -1 for none. */
function bytesAt(offset: number, unit: number): number {
  return offset < 0 ? -1 : offset * unit;
}
