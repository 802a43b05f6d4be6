// Makes the pictures of the playground that the documentation shows: docs/figures/playground-light.png and -dark.png.

import { statSync } from 'node:fs';
import { launch } from '../test/browser/chromium.ts';
import { openSite } from '../test/browser/playground/site.ts';

const TRACE = 'lua';
/** Which part of the operations has run. */
const PART = 0.64;

async function main() {
  const browser = await launch();
  if (typeof browser === 'string') throw new Error(browser);
  const site = await openSite();
  try {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width: 1200, height: 1162 }, colorScheme });
      await page.goto(`${site.url}#${TRACE}`);
      await page.locator('#status', { hasText: 'ready to play' }).waitFor();
      const length = Number(await page.locator('#scrub').getAttribute('max'));
      const at = Math.floor(length * PART);
      await page.locator('#scrub').fill(String(at));
      await page.getByText(`${at.toLocaleString('en')} of`).waitFor();
      await page.locator('#scrub').blur();
      const path = `docs/figures/playground-${colorScheme}.png`;
      await page.screenshot({ path });
      console.log(`${path}: ${Math.round(statSync(path).size / 1000)} kB`);
      await page.close();
    }
  } finally {
    await browser.close();
    site.close();
  }
}

await main();
