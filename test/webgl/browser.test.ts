// BufferPool on a real WebGL 2 context: the built package in Chromium. Without Chromium or WebGL 2 these tests are
// skipped.

import { afterAll, describe, expect, it } from 'vitest';
import { testBlocks } from '../browser/pages.ts';
import { open } from '../browser/scenarios.ts';
import { WEBGL } from '../browser/webgl/chromium.ts';

const opened = await open(WEBGL);
const reason = typeof opened === 'string' ? opened : null;
const run = typeof opened === 'string' ? async () => undefined : opened.run;
if (reason !== null) console.warn(`WebGL in a browser is not tested: ${reason}.`);
afterAll(async () => {
  if (typeof opened !== 'string') await opened.close();
});

describe.skipIf(reason !== null)(`WebGL 2 in Chromium${reason === null ? '' : ` (${reason})`}`, () => {
  it.each([
    'ARRAY_BUFFER',
    'ELEMENT_ARRAY_BUFFER',
    'UNIFORM_BUFFER',
  ])('keeps the bytes of ranges for %s over frees, moves and reuse', async (target) => {
    const result = (await run('writeAndDefragment', target)) as {
      moved: number;
      before: { buffers: number };
      after: { buffers: number };
    };
    expect(result).toMatchObject({ errors: [], wrong: [], checked: 30, bindingsKept: true });
    expect(result.moved).toBeGreaterThan(0);
    expect(result.after.buffers).toBeLessThan(result.before.buffers);
  });

  it('draws many meshes with one bind, each from its own range', async () => {
    const result = await run('drawByFirstVertex');
    expect(result).toEqual({ errors: [], wholeNumbers: true, colours: [10, 20, 30, 40] });
  });

  it('draws indexed meshes after their indices and vertices moved', async () => {
    expect(await run('drawIndexed')).toMatchObject({ errors: [], colours: [10, 20, 30, 40], moved: true });
  });

  it('binds ranges of uniforms', async () => {
    expect(await run('drawUniforms')).toEqual({ errors: [], colours: [10, 20, 30, 40] });
  });

  it('has no room beyond the memory there is, and raises no error', async () => {
    expect(await run('outOfMemory')).toEqual({ errors: [], first: true, last: null });
  });

  it('reports that a context is lost, also when it is restored', async () => {
    expect(await run('lose')).toEqual(['DEVICE_LOST', 'DEVICE_LOST', true]);
  });
});

testBlocks('docs/webgl.md', 'webgl', reason === null ? run : undefined);
