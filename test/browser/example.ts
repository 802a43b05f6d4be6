// The page of an example in Chromium, served as docs/examples.md says.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Page } from 'playwright-core';
import { launch } from './chromium.ts';

export interface ExamplePage {
  readonly page: Page;
  /** What the page has complained of. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** What the server says first: its address. */
async function addressOf(server: ChildProcess): Promise<string> {
  const output = once(server.stdout as NodeJS.ReadableStream, 'data').then(([line]) => String(line).trim());
  const end = once(server, 'exit').then(([code]) => {
    throw new Error(`the server ends with ${code}`);
  });
  return Promise.race([output, end]);
}

/** The page of examples/NAME, or why there is none. */
export async function openExample(name: string): Promise<ExamplePage | string> {
  const browser = await launch();
  if (typeof browser === 'string') return browser;
  const server = spawn(process.execPath, ['examples/serve.mjs', name, '--port', '0']);
  const close = async () => {
    await browser.close();
    server.kill();
  };
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  try {
    await page.goto(await addressOf(server));
  } catch (error) {
    await close();
    throw error;
  }
  return { page, complaints, close };
}
