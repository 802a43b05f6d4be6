// The map for keys that come back, against a Map; and that a key does not become slower to find each time it does. (The
// case mtrace-map-churn.mjs, whose pattern scopes and DebugHeap had, too.)

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReturningMap } from '../../src/base/returning-map.ts';
import { DebugHeap } from '../../src/debug.ts';
import { Heap } from '../../src/heap.ts';

it('does what a Map does', () => {
  const call = fc.tuple(fc.constantFrom('set', 'delete', 'clear'), fc.nat(200), fc.nat());
  fc.assert(
    fc.property(fc.array(call, { maxLength: 2000, size: 'max' }), (calls) => {
      const map = new Map<number, number>();
      const ours = new ReturningMap<number>();
      let sinceClear = 0;
      for (const [kind, key, value] of calls) {
        if (kind === 'set') {
          map.set(key, value);
          ours.set(key, value);
        } else if (kind === 'delete') {
          map.delete(key);
          ours.delete(key);
        } else if (sinceClear++ % 100 === 99) {
          map.clear();
          ours.clear();
        }
        expect([ours.size, ours.get(key)]).toEqual([map.size, map.get(key)]);
      }
      expect(ours.keys()).toEqual([...map.keys()]);
      expect(ours.values()).toEqual([...map.values()]);
    }),
    { numRuns: 30 },
  );
});

/** Milliseconds that the fastest of `runs` runs takes. */
function fastest(runs: number, run: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe('100,000 times the same key, among 100,000 that stay', () => {
  const MANY = 100_000;

  // Each of these takes at least 30 times as long with a Map or a Set.
  it('costs a scope little more than among none', () => {
    const churn = (live: number) => {
      const scope = new Heap({ size: 2 ** 23 }).scope();
      for (let i = 0; i < live; i++) scope.malloc(16);
      return () => {
        for (let i = 0; i < MANY; i++) scope.free(scope.malloc(16));
      };
    };
    expect(fastest(3, churn(MANY))).toBeLessThan(4 * fastest(3, churn(0)) + 200);
  });

  it.each([
    ['its blocks', 0, 0],
    ['its quarantine', 2 ** 23, MANY],
  ])('costs DebugHeap little more for %s', (_what, quarantine, freed) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      const churn = (live: number, freed: number) => {
        const heap = new DebugHeap({ size: 2 ** 25, quarantine });
        for (let i = 0; i < freed; i++) heap.free(heap.malloc(16));
        for (let i = 0; i < live; i++) heap.malloc(16);
        return () => {
          for (let i = 0; i < MANY; i++) heap.free(heap.malloc(16));
        };
      };
      expect(fastest(2, churn(MANY, freed))).toBeLessThan(4 * fastest(2, churn(0, 0)) + 500);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });
});
