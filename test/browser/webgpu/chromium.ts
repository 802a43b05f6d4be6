// A page in Chromium with WebGPU, by way of its software adapter, so that no GPU is needed. WebGPU wants a secure context, which
// localhost is.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { launch } from '../chromium.ts';

const ARGUMENTS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const PAGE = `<!doctype html><title>WebGPU</title><script type="importmap">
{ "imports": { "buddy-allocator/webgpu": "/dist/webgpu.js" } }
</script>`;

export interface GpuPage {
  readonly page: Page;
  close(): Promise<void>;
}

/** Serves the page, the built package and the scenarios. */
function serve() {
  return createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = /^\/dist\/[\w.-]+\.js$/.test(path) ? `.${path}` : undefined;
    const scenario = path === '/scenarios.mjs' ? 'test/browser/webgpu/scenarios.mjs' : undefined;
    if (path === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE);
      return;
    }
    readFile(file ?? scenario ?? '').then(
      (content) => response.setHeader('content-type', 'text/javascript').end(content),
      () => response.writeHead(404).end(),
    );
  });
}

/** A page that has a WebGPU adapter, or why there is none. */
export async function open(): Promise<GpuPage | string> {
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
    const adapter = await page.evaluate(
      'navigator.gpu?.requestAdapter().then((adapter) => adapter !== null)',
    );
    if (adapter === true) return { page, close };
    await close();
    return 'Chromium has no WebGPU adapter here';
  } catch (error) {
    await close();
    return `Chromium does not open the page: ${String(error).split('\n')[0]}`;
  }
}
