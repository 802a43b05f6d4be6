// BufferPool on a real WebGPU device: the built package in Chromium. Without Chromium or an adapter these tests are
// skipped.

import { afterAll, describe, expect, it } from 'vitest';
import { testBlocks } from '../browser/pages.ts';
import { open } from '../browser/scenarios.ts';
import { WEBGPU } from '../browser/webgpu/chromium.ts';

const opened = await open(WEBGPU);
const reason = typeof opened === 'string' ? opened : null;
const run = typeof opened === 'string' ? async () => undefined : opened.run;
if (reason !== null) console.warn(`WebGPU in a browser is not tested: ${reason}.`);
afterAll(async () => {
  if (typeof opened !== 'string') await opened.close();
});

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

  it('draws many meshes with one bind, each by its own firstIndex and baseVertex', async () => {
    expect(await run('drawByBaseVertex')).toEqual({ errors: [], colours: [10, 20, 30, 40] });
  });

  it('can bind whatever range the limits of the device allow', async () => {
    expect(await run('bindingLimits')).toEqual({ errors: [], messages: [true, true] });
  });

  it('reports that a device is lost', async () => {
    expect(await run('lose')).toBe('DEVICE_LOST');
  });
});

testBlocks('docs/webgpu.md', 'webgpu', reason === null ? run : undefined);
testBlocks('docs/frame-pool.md', 'webgpu', reason === null ? run : undefined);
