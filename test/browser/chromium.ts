// Finding and starting Chromium, for all tests in a browser and for the screenshots.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const ARGUMENTS = ['--no-sandbox', '--disable-background-networking'];

/** A browser, or why there is none. `CHROMIUM` in the environment names the one to take. */
export async function launch(args: readonly string[] = []): Promise<Browser | string> {
  const executablePath = process.env.CHROMIUM ?? INSTALLED.find((candidate) => existsSync(candidate));
  if (executablePath === undefined) return 'Chromium is not installed; CHROMIUM may name it';
  try {
    return await chromium.launch({ executablePath, args: [...ARGUMENTS, ...args] });
  } catch (error) {
    return `Chromium does not start: ${String(error).split('\n')[0]}`;
  }
}
