// What importing a part of the package costs a program: its size, and that nothing comes along that was not asked for.

import { describe, expect, it } from 'vitest';
import { parts } from '../scripts/budgets.ts';
import { bundle } from '../scripts/bundle.ts';
import { entryPoints } from '../scripts/entry-points.mjs';

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
  webgl: 'src/webgl/pool.ts',
  trace: 'src/trace/replay/replay.ts',
  replicated: 'src/replicated/machine.ts',
  prefixes: 'src/prefixes/prefixes.ts',
};
type Core = keyof typeof CORES;

/** Of which of {@link CORES} something is left in a bundle of `code`. */
async function cores(code: string): Promise<Core[]> {
  const { files } = await bundle(code);
  return (Object.keys(CORES) as Core[]).filter((name) => files.has(CORES[name])).sort();
}

/** Which of {@link CORES} each entry point takes along. */
const TAKEN: Readonly<Record<string, readonly Core[]>> = {
  'buddy-allocator': ['offsets'],
  'buddy-allocator/heap': ['heap', 'offsets'],
  'buddy-allocator/shared': ['shared'],
  'buddy-allocator/mempool': ['heap', 'mempool', 'offsets'],
  'buddy-allocator/webgpu': ['offsets', 'webgpu'],
  'buddy-allocator/webgl': ['offsets', 'webgl'],
  'buddy-allocator/debug': ['debug', 'heap', 'offsets'],
  'buddy-allocator/trace': ['offsets', 'trace'],
  'buddy-allocator/replicated': ['offsets', 'replicated'],
  'buddy-allocator/prefixes': ['offsets', 'prefixes'],
};

const sourceOf = (wanted: string) => entryPoints.find(({ name }) => name === wanted)?.source;

describe('an entry point takes along only what it is built on', () => {
  it.each(entryPoints)('$specifier', async ({ specifier, source }) => {
    expect(await cores(`export * from './${source}';`)).toEqual(TAKEN[specifier]);
  });

  it('the error comes without any allocator', async () => {
    expect(await cores(`export { BuddyError } from './${sourceOf('index')}';`)).toEqual([]);
  });

  it('a trace can be read without any allocator', async () => {
    expect(await cores(`export { readTrace } from './${sourceOf('trace')}';`)).toEqual([]);
  });
});
