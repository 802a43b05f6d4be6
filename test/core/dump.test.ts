// The state as text, and an allocator as Node prints it.

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { dump } from '../../src/core/state/dump.ts';
import { BuddyAllocator } from '../../src/index.ts';
import { withDump } from '../support/with-dump.ts';

const dumpOf = (allocator: BuddyAllocator): string => dump(new Int32Array(allocator.state));

describe('dump', () => {
  it('draws the open words as docs/algorithm.md does', () => {
    const allocator = new BuddyAllocator({ capacity: 100 });
    for (const size of [4, 1, 2, 32]) allocator.alloc(size);
    expect(dumpOf(allocator).split('\n')).toEqual([
      'capacity 100, free 61, levels 2',
      'level 1: 1 word, a child is 32 units, hints 0 0 none none none, bound none',
      '  word 0, units from 0',
      '    used 0100 1111 1111 1111 1111 1111 1111 1111',
      '    cont 1001 0000 0000 0000 0000 0000 0000 0000',
      'level 0: 4 words, a child is 1 unit, hints 0 0 0 0 0, bound 32',
      '  word 0, units from 0',
      '    used 1111 1011 0000 0000 0000 0000 0000 0000',
      '    cont 0111 0001 0000 0000 0000 0000 0000 0000',
      '  word 3, units from 96',
      '    used 0000 1111 1111 1111 1111 1111 1111 1111',
      '    cont 0000 0000 0000 0000 0000 0000 0000 0000',
    ]);
  });

  it('shows 32 words of a level and counts the others', () => {
    const allocator = new BuddyAllocator({ capacity: 4096 });
    for (let offset = 0; offset < 4096; offset += 32) allocator.reserve(offset, 1);
    expect(dumpOf(allocator)).toContain('\n  and 96 more open words');
    expect(dumpOf(allocator).match(/\n {2}word /g)).toHaveLength(32 + 4 + 1);
  });
});

it('a failure shows the state in which it happened', () => {
  const allocator = new BuddyAllocator({ capacity: 32 });
  allocator.alloc(3);
  const fail = () => {
    throw new Error('they differ');
  };
  expect(() => withDump(allocator, fail)).toThrow(/^they differ\ncapacity 32, free 28(.|\n)*used 1111 0000/);
});

it('an allocator prints its figures', () => {
  const allocator = new BuddyAllocator({ capacity: 1000 });
  allocator.alloc(100);
  expect(inspect(allocator)).toBe('BuddyAllocator { 872 of 1000 units free }');
  expect(inspect({ arena: allocator })).toBe('{ arena: BuddyAllocator { 872 of 1000 units free } }');
});
