// What importing a part of the package costs a program: its size, and that nothing comes along that was not asked for.

import { describe, expect, it } from 'vitest';
import { parts } from '../scripts/budgets.ts';
import { bundle } from '../scripts/bundle.ts';

describe('the built package', () => {
  for (const { names, from, budget } of parts) {
    if (budget === undefined) continue;
    it(`${names} from '${from}' takes at most ${budget} bytes`, async () => {
      const { brotli } = await bundle(`export ${names} from '${from}';`);
      expect(brotli).toBeLessThanOrEqual(budget);
    });
  }
});

/** The file that makes the bulk of each entry point. */
const CORES = {
  offsets: 'src/core/allocator.ts',
  heap: 'src/heap/heap.ts',
  mempool: 'src/mempool/mempool.ts',
  debug: 'src/debug/heap.ts',
  shared: 'src/shared/allocator.ts',
  webgpu: 'src/webgpu/pool.ts',
  trace: 'src/trace/replay/replay.ts',
};
type Core = keyof typeof CORES;

/** Of which of {@link CORES} something is left in a bundle of `code`. */
async function cores(code: string): Promise<Core[]> {
  const { files } = await bundle(code);
  return (Object.keys(CORES) as Core[]).filter((name) => files.has(CORES[name])).sort();
}

describe('an entry point takes along only what it is built on', () => {
  it.each<[string, Core[]]>([
    ['index.ts', ['offsets']],
    ['heap.ts', ['heap', 'offsets']],
    ['mempool.ts', ['heap', 'mempool', 'offsets']],
    ['debug.ts', ['debug', 'heap', 'offsets']],
    ['shared.ts', ['shared']],
    ['webgpu.ts', ['offsets', 'webgpu']],
    ['trace.ts', ['offsets', 'trace']],
  ])('%s', async (entry, expected) => {
    expect(await cores(`export * from './src/${entry}';`)).toEqual(expected);
  });

  it('the error comes without any allocator', async () => {
    expect(await cores(`export { BuddyError } from './src/index.ts';`)).toEqual([]);
  });

  it('a trace can be read without any allocator', async () => {
    expect(await cores(`export { readTrace } from './src/trace.ts';`)).toEqual([]);
  });
});
