// What can be wrong with the state of a machine, beyond the state of its allocator.

import type { Machine } from './machine.ts';

/** The violations of the invariants in words; none if the state is sound. O(capacity). */
export function checkMachine(machine: Machine): string[] {
  const { allocator } = machine;
  const violations = allocator.check();
  let used = 0;
  let end = 0;
  for (const { offset, size } of machine.holdings().sort((a, b) => a.offset - b.offset)) {
    if (offset < end) violations.push(`the held block at ${offset} overlaps the one before it`);
    end = offset + size;
    used += size;
    let unit = offset;
    while (unit < end && allocator.isAllocated(unit)) unit += allocator.sizeOf(unit);
    if (unit !== end) violations.push(`live blocks do not tile the held block at ${offset}`);
  }
  if (used !== allocator.capacity - allocator.freeUnits)
    violations.push('units are in use that nobody holds');
  return violations;
}
