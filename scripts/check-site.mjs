// Opens every page of the built site in Chromium, as a phone and as a desktop has it, in light and dark: nothing is wider than the
// screen, no page complains, no request fails, the search finds. The build has followed the links.
// `npx tsx scripts/check-site.mjs [FOLDER]` writes a picture of each page into FOLDER.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { preview } from 'vite';
import { launch } from '../test/browser/chromium.ts';

const ROOT = 'docs/.vitepress/dist';
const SCREENS = [
  { name: 'phone', width: 390, height: 844, colorScheme: 'light' },
  { name: 'desktop', width: 1280, height: 900, colorScheme: 'dark' },
];
const folder = process.argv[2];

const pages = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.html') && file !== '404.html',
);
const problems = [];

async function visit(browser, origin, screen, file) {
  const { name, width, height, colorScheme } = screen;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  const complain = (what) => problems.push(`${file}, ${name}: ${what}`);
  page.on('pageerror', (error) => complain(String(error)));
  page.on('console', (message) => message.type() === 'error' && complain(message.text()));
  page.on(
    'response',
    (response) => response.status() >= 400 && complain(`${response.status()} ${response.url()}`),
  );
  await page.goto(`${origin}${file}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > width) complain(`is ${wide} pixels wide`);
  if ((await page.title()) === '') complain('has no title');
  if (folder !== undefined) {
    const path = join(folder, `${file.replaceAll('/', '-').replace('.html', '')}-${name}.png`);
    await page.screenshot({ path, fullPage: true });
  }
  await page.close();
}

/** Whether the search box finds a page by a word in it. */
async function search(browser, origin) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(origin);
  await page.locator('.VPNavBarSearch button').first().click();
  await page.locator('.VPLocalSearchBox input').fill('fragmentation');
  await page
    .locator('.VPLocalSearchBox .result')
    .first()
    .waitFor({ timeout: 10_000 })
    .catch(() => problems.push('the search finds nothing'));
  await page.close();
}

const browser = await launch();
if (typeof browser === 'string') throw new Error(browser);
const server = await preview({
  root: 'docs',
  build: { outDir: '.vitepress/dist' },
  preview: { port: 0 },
  configFile: false,
});
const [origin] = server.resolvedUrls.local;
try {
  for (const screen of SCREENS) for (const file of pages) await visit(browser, origin, screen, file);
  await search(browser, origin);
} finally {
  await browser.close();
  await server.close();
}
console.log([`${pages.length} pages, ${SCREENS.length} screens`, ...problems].join('\n'));
process.exitCode = problems.length === 0 ? 0 : 1;
