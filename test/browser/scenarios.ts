// A page in Chromium that has the built package and a module of scenarios. Localhost is a secure context, which WebGPU
// wants.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { launch } from './chromium.ts';

/** What a page is for. */
export interface Setting {
  /** The API, such as 'webgpu': the entry point of the package, and the folder here with the scenarios. */
  readonly api: string;
  /** Arguments of Chromium. */
  readonly args: readonly string[];
  /** An expression that is true in a page that has what the scenarios need. */
  readonly probe: string;
  /** Why there is no page if it is not. */
  readonly absent: string;
}

export interface ScenarioPage {
  /** Runs a scenario in the page, and returns its result. */
  run(scenario: string, ...parameters: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Serves a page, the built package and the scenarios. */
function serve(api: string) {
  const specifier = `buddy-allocator/${api}`;
  const imports = JSON.stringify({ imports: { [specifier]: `/dist/${api}.js` } });
  return createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = /^\/dist\/[\w.-]+\.js$/.test(path) ? `.${path}` : undefined;
    const scenario = path === '/scenarios.mjs' ? `test/browser/${api}/scenarios.mjs` : undefined;
    if (path === '/') {
      response
        .setHeader('content-type', 'text/html')
        .end(`<!doctype html><title>${api}</title><script type="importmap">${imports}</script>`);
      return;
    }
    readFile(file ?? scenario ?? '').then(
      (content) => response.setHeader('content-type', 'text/javascript').end(content),
      () => response.writeHead(404).end(),
    );
  });
}

/** A page as in `setting`, or why there is none. */
export async function open({ api, args, probe, absent }: Setting): Promise<ScenarioPage | string> {
  const browser = await launch(args);
  if (typeof browser === 'string') return browser;
  const server = serve(api);
  const close = async () => {
    await browser.close();
    server.close();
  };
  const run = (page: Page, scenario: string, parameters: readonly unknown[]): Promise<unknown> => {
    const call = `${scenario}(...${JSON.stringify(parameters)})`;
    return page.evaluate(`import('/scenarios.mjs').then((module) => module.${call})`);
  };
  try {
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    if ((await page.evaluate(probe)) === true) {
      return { run: (scenario, ...parameters) => run(page, scenario, parameters), close };
    }
    await close();
    return absent;
  } catch (error) {
    await close();
    return `Chromium does not open the page: ${String(error).split('\n')[0]}`;
  }
}
