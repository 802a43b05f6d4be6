// A page in Chromium that is cross-origin isolated, and so has shared memory, with WebGL and WebGPU in software.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { launch } from '../chromium.ts';

const ARGUMENTS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

export interface IsolatedPage {
  readonly page: Page;
  close(): Promise<void>;
}

/** Serves an empty page, the built package and the module that the page imports. */
function serve() {
  return createServer((request, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Web APIs</title>');
      return;
    }
    const isBuilt = /^\/dist\/[\w.-]+\.js$/.test(path);
    readFile(isBuilt ? `.${path}` : path === '/takes.mjs' ? 'test/browser/web-apis/takes.mjs' : '').then(
      (content) => response.setHeader('content-type', 'text/javascript').end(content),
      () => response.writeHead(404).end(),
    );
  });
}

/** The page, or why there is none. */
export async function open(): Promise<IsolatedPage | string> {
  const browser = await launch(ARGUMENTS);
  if (typeof browser === 'string') return browser;
  const server = serve();
  const close = async () => {
    await browser.close();
    server.close();
  };
  try {
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    return { page, close };
  } catch (error) {
    await close();
    throw error;
  }
}
