// Real workers on a heap that grows, killed wherever they are. `npm run long -- shared-heap` does it for longer.

import { expect, it } from 'vitest';
import { heapDeaths } from '../support/heap-death.ts';

it('workers that are killed make no blocks overlap, and lose none', async () => {
  const figures = await heapDeaths({ size: 2 ** 18, maximum: 2 ** 23, maxWorkers: 16 }, 30, 1);
  expect(figures.recovered).toBeGreaterThan(30);
  expect(figures.adopted).toBeGreaterThan(0);
}, 120_000);
