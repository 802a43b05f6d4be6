// The shared allocator in a browser: the page of examples/shared, in which Web Workers and the page itself use one
// arena. Skipped without Chromium.

import { afterAll, describe, expect, it } from 'vitest';
import { type ExamplePage, openExample } from '../browser/example.ts';

const opened = await openExample('shared');
const reason = typeof opened === 'string' ? opened : null;
if (reason !== null) console.warn(`The shared allocator in a browser is not tested: ${reason}.`);
afterAll(async () => {
  if (typeof opened !== 'string') await opened.close();
});

describe.skipIf(reason !== null)(`Web Workers in Chromium${reason === null ? '' : ` (${reason})`}`, () => {
  const { page, complaints } = opened as ExamplePage;
  const row = (index: number) => page.locator('#tenants tr').nth(index);
  const state = (index: number) => row(index).locator('td').nth(4);
  const operations = async (index: number) =>
    Number((await row(index).locator('td').nth(1).innerText()).replaceAll(',', ''));

  /** Waits until the tenant in row `index` has done `count` operations more. */
  async function work(index: number, count: number): Promise<void> {
    const start = await operations(index);
    await expect.poll(() => operations(index), { timeout: 20_000 }).toBeGreaterThan(start + count);
  }

  it('share an arena with the page, which is cross-origin isolated', async () => {
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    for (const index of [1, 2, 3, 4]) await work(index, 2000);
    await work(0, 100);
    expect(await page.locator('#damaged').innerText()).toBe('0');
  });

  it.each([2, 3])('go on when worker %d is terminated, which the page recovers', async (index) => {
    await row(index).getByRole('button', { name: 'Terminate' }).click();
    await row(index).getByRole('button', { name: 'Recover' }).click({ timeout: 20_000 });
    await expect.poll(() => state(index).innerText()).toMatch(/^recovered: [1-9]\d* blocks, [1-9]\d* units$/);
    const stopped = await operations(index);
    for (const other of [1, 4]) await work(other, 2000);
    await work(0, 100);
    expect(await operations(index)).toBe(stopped);
    await row(index).getByRole('button', { name: 'Start' }).click();
    await work(index, 2000);
  });

  it('leave nothing when they have freed everything', async () => {
    await page.locator('#finish').click();
    await expect.poll(() => page.locator('#verdict').innerText(), { timeout: 20_000 }).not.toBe('');
    expect(await page.locator('#verdict').innerText()).toMatch(/^In order: nothing is live/);
    expect(await page.locator('#damaged').innerText()).toBe('0');
    expect(complaints).toEqual([]);
  });
});
