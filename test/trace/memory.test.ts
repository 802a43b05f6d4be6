// Memory and time that advice and replay take, whatever the trace is. Cases: advise-chain, advise-oom.

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { float64s, int32s, uint8s, withMemory } from '../../src/trace/memory.ts';
import { advise, type Trace, traceFromOps } from '../../src/trace.ts';

const OPERATIONS = 1_000_000;
const BYTES_PER_OPERATION = 64;

/** Operations of a trace, as source text that a process of its own evaluates. */
const TRACES: Readonly<Record<string, string>> = {
  'blocks of one size that stay': 'ops.fill(5)',
  'blocks of many sizes': 'for (let i = 0; i < n; i++) ops[i] = 1 + (i >>> 7)',
  'as many holes as there can be': `const blocks = Math.floor((n * 2) / 3) + 2;
    ops.fill(24, 0, blocks);
    for (let i = 0; blocks + i < n; i++) ops[blocks + i] = ~(2 * i);`,
};

/** Bytes per operation that a process needs for a report. Its heap has no room for an object per operation. */
function bytesPerOperation(report: 'advise' | 'replay', filling: string): number {
  // The arena's state comes on top: units as large as these keep it small.
  const options = report === 'advise' ? '{ minUnit: 1024 }' : '{ unit: 1024 }';
  const program = `
    import { advise, encodeTrace, readTrace, replay } from './dist/trace.js';
    const n = ${OPERATIONS};
    const ops = new Int32Array(n);
    ${filling};
    const file = encodeTrace({ ops });
    const before = process.resourceUsage().maxRSS;
    ${report}(await readTrace(file, { format: 'int32' }), ${options});
    console.log(((process.resourceUsage().maxRSS - before) * 1024) / n);`;
  const argv = ['--max-old-space-size=32', '--input-type=module', '--eval', program];
  return Number(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
}

describe('at most 64 bytes per operation above the file', () => {
  for (const [name, filling] of Object.entries(TRACES)) {
    it.each(['advise', 'replay'] as const)(`%s ${name}`, (report) => {
      expect(bytesPerOperation(report, filling)).toBeLessThanOrEqual(BYTES_PER_OPERATION);
    });
  }
});

describe('no trace makes the first-fit heap deep or slow', () => {
  /** Frees n of 2n blocks in the order of their ranks, and allocates and frees another one `pairs` times. */
  function freeing(ranks: readonly number[], pairs: number): Trace {
    const ops: number[] = new Array(2 * ranks.length).fill(8);
    for (const rank of ranks) ops.push(~(2 * rank));
    for (let id = 2 * ranks.length; id < 2 * ranks.length + pairs; id++) ops.push(8, ~id);
    return traceFromOps(Int32Array.from(ops));
  }

  /** The ranks of numbers of xorshift: the order that made a chain of a treap with these priorities. */
  function chain(length: number): number[] {
    let seed = 1;
    const priorities = Array.from({ length }, () => {
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      return seed;
    });
    const ranks: number[] = [];
    const order = priorities.map((_, i) => i).sort((a, b) => priorities[a] - priorities[b]);
    order.forEach((index, rank) => {
      ranks[index] = rank;
    });
    return ranks;
  }

  const upwards = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const inAndOut = (length: number): number[] =>
    upwards(length).map((i) => (i % 2 ? length - 1 - (i >> 1) : i >> 1));

  it.each<[string, (length: number) => number[]]>([
    ['chosen for a treap', chain],
    ['upwards', upwards],
    ['downwards', (length) => upwards(length).reverse()],
    ['from both ends', inAndOut],
  ])('frees %s', (_, order) => {
    // 50,000 overflowed the stack.
    const trace = freeing(order(50_000), 1000);
    expect(advise(trace, { minUnit: 4096 }).firstFitBytes).toBe(2 * 50_000 * 16);
  });

  it('operations beside many free chunks cost the same, whatever the order of their frees', () => {
    const milliseconds = (order: (length: number) => number[]): number => {
      const trace = freeing(order(5000), 50_000);
      const begin = performance.now();
      advise(trace, { minUnit: 4096 });
      return performance.now() - begin;
    };
    milliseconds(upwards); // Compiles.
    expect(milliseconds(chain)).toBeLessThan(5 * milliseconds(upwards));
  });
});

describe('an array that the engine or the machine has no room for', () => {
  it.each([int32s, float64s, uint8s])('is an error of the trace (%o)', (make) => {
    expect(() => make(2 ** 52)).toThrow(expect.objectContaining({ name: 'TraceError', code: 'TOO_LARGE' }));
    expect(make(3)).toHaveLength(3);
  });

  it('is not what every error means', () => {
    const bug = new TypeError('a bug');
    expect(() =>
      withMemory(() => {
        throw bug;
      }),
    ).toThrow(bug);
  });
});

it('advises for addresses of more than 32 bits', () => {
  const large = 2 ** 31 - 1;
  const blocks = 40;
  const ops: number[] = [];
  for (let id = 0; id < 2 * blocks; id += 2) ops.push(large, 64); // the small ones keep the large ones apart
  for (let id = 0; id < 2 * blocks; id += 2) ops.push(~id);
  for (let id = 0; id < blocks; id++) ops.push(large);
  const { firstFitBytes, peakLiveBytes } = advise(traceFromOps(Int32Array.from(ops)));
  // Each large block went to where one had been.
  expect(firstFitBytes).toBeGreaterThan(blocks * large);
  expect(firstFitBytes).toBeLessThan(peakLiveBytes + 2 * blocks * 32);
});
