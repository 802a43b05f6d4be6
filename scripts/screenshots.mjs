// Makes the pictures in docs/figures that show pages: of the playground, and of the examples.

import { statSync } from 'node:fs';
import { launch } from '../test/browser/chromium.ts';
import { openExample } from '../test/browser/example.ts';
import { openSite } from '../test/browser/playground/site.ts';

/** Writes a picture: a PNG is small for a page of plain areas, a JPEG for one of many colours. */
async function shoot(page, name) {
  const path = `docs/figures/${name}`;
  await page.screenshot({ path, quality: name.endsWith('.jpg') ? 80 : undefined });
  console.log(`${path}: ${Math.round(statSync(path).size / 1000)} kB`);
}

/** The playground as it opens. */
async function playground() {
  const browser = await launch();
  if (typeof browser === 'string') throw new Error(browser);
  const site = await openSite();
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1180 }, colorScheme: 'light' });
    await page.goto(site.url);
    await page.locator('#status', { hasText: 'fullest' }).waitFor();
    await shoot(page, 'playground-light.png');
  } finally {
    await browser.close();
    site.close();
  }
}

/** The shared arena, when one worker has been terminated and another one recovered. */
async function shared() {
  const opened = await openExample('shared');
  if (typeof opened === 'string') throw new Error(opened);
  const { page, close } = opened;
  try {
    await page.setViewportSize({ width: 900, height: 1060 });
    const row = (index) => page.locator('#tenants tr').nth(index);
    await page.waitForTimeout(3000);
    for (const index of [2, 4]) await row(index).getByRole('button', { name: 'Terminate' }).click();
    await row(4).getByRole('button', { name: 'Recover' }).click();
    await row(2).getByRole('button', { name: 'Recover' }).waitFor();
    await page.waitForTimeout(1500);
    await shoot(page, 'example-shared.png');
  } finally {
    await close();
  }
}

/** The meshes by WebGL, when many have gone and come. */
async function meshes() {
  const opened = await openExample('meshes');
  if (typeof opened === 'string') throw new Error(opened);
  const { page, close } = opened;
  try {
    await page.setViewportSize({ width: 900, height: 840 });
    await page.waitForTimeout(4000);
    await shoot(page, 'example-meshes.jpg');
  } finally {
    await close();
  }
}

await playground();
await shared();
await meshes();
