// A server on this machine that gives a browser the suite, and takes its results.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const PAGE =
  '<!doctype html><title>Conformance</title><body><script type="module" src="/test/conformance/page.mjs"></script>';

/** What a page can read. A URL's path has no dots left that would lead out of a folder. */
const READABLE = /^\/(?:dist|data|test\/conformance|test\/support)\/[\w./-]+\.(?:js|mjs|gz)$/;

const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export interface Served {
  readonly url: string;
  /** What the page has sent. */
  readonly outcome: Promise<string>;
  close(): void;
}

/** Serves the project in folder `root`. */
export async function serve(root: string, isolated: boolean): Promise<Served> {
  let settle: (outcome: string) => void = () => undefined;
  const outcome = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (isolated) for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE);
    } else if (pathname === '/outcome' && request.method === 'POST') {
      settle(await text(request));
      response.end();
    } else if (READABLE.test(pathname)) {
      const type = pathname.endsWith('.gz') ? 'application/octet-stream' : 'text/javascript';
      response.setHeader('content-type', type).end(await readFile(join(root, pathname)));
    } else {
      response.writeHead(404).end();
    }
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    outcome,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
