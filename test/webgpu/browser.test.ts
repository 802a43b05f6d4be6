// BufferPool on a real WebGPU device: the built package in Chromium. Without Chromium or an adapter these tests are
// skipped.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GpuPage, open } from '../browser/webgpu/chromium.ts';

const opened = await open();
const reason = typeof opened === 'string' ? opened : null;
if (reason !== null) console.warn(`WebGPU in a browser is not tested: ${reason}.`);
afterAll(async () => {
  if (typeof opened !== 'string') await opened.close();
});

/** Runs a scenario in the page, and returns its result. */
function run(scenario: string, ...parameters: unknown[]): Promise<unknown> {
  const call = `${scenario}(...${JSON.stringify(parameters)})`;
  return (opened as GpuPage).page.evaluate(`import('/scenarios.mjs').then((module) => module.${call})`);
}

describe.skipIf(reason !== null)(`WebGPU in Chromium${reason === null ? '' : ` (${reason})`}`, () => {
  it('computes on ranges of storage and uniform buffers, with moves in between', async () => {
    const result = (await run('computeAroundDefragment')) as {
      moved: { between: number; within: number };
      before: { buffers: number };
      after: { buffers: number };
    };
    expect(result).toMatchObject({ errors: [], wrong: [], checked: 30 });
    expect(result.moved.between).toBeGreaterThan(0);
    expect(result.moved.within).toBeGreaterThan(0);
    expect(result.after.buffers).toBeLessThan(result.before.buffers);
  });

  it('takes an allocation as a binding', async () => {
    expect(await run('allocationAsBinding')).toEqual({ errors: [], offset: 256, found: Array(10).fill(50) });
  });

  it('does not let a write overtake commands that use a freed range', async () => {
    const result = await run('writeBeforeSubmit', false);
    expect(result).toEqual({ errors: [], found: [1, 1, 1, 1], old: 0, next: 256, reused: 0 });
    // Immediate reuse, done by hand.
    expect(await run('writeBeforeSubmit', true)).toMatchObject({ errors: [], found: [2, 2, 2, 2] });
  });

  it('follows the rules that the documentation states', async () => {
    expect(await run('rules')).toEqual({
      errors: [],
      copyWithinBuffer: false,
      twoWritable: true,
      readAndWritable: false,
      uniformAndWritable: false,
    });
  });

  it('reports that a device is lost', async () => {
    expect(await run('lose')).toBe('DEVICE_LOST');
  });
});

describe.each(['docs/webgpu.md', 'docs/frame-pool.md'])('%s', (file) => {
  const page = readFileSync(file, 'utf8');
  const blocks = [...page.matchAll(/^```js webgpu\n([\s\S]*?)^```$/gm)].map(({ index, 1: text }) => ({
    line: page.slice(0, index).split('\n').length,
    text,
  }));

  it('has no other JavaScript', () => {
    expect(blocks.length).toBeGreaterThan(0);
    expect(page.match(/^```js/gm)).toHaveLength(blocks.length);
  });

  it.skipIf(reason !== null).each(blocks)('line $line runs', async ({ text }) => {
    expect(await run('runModule', text)).toEqual([]);
  });

  let failures: unknown;
  beforeAll(async () => {
    if (reason === null)
      failures = await run('runModule', 'console.assert(false, "as it should"); throw new Error("no")');
  });
  it.skipIf(reason !== null)('fails for a block with an error', () => {
    expect(failures).toEqual(['an assertion fails: as it should', 'Error: no']);
  });
});
