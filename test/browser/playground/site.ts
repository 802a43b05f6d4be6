// The playground as it is hosted: built into a temporary folder and served from there as static files.

import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { build } from 'vite';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.gz': 'application/gzip',
};

export interface Site {
  /** Where the playground is. It is not the root of the server: its paths must be relative. */
  readonly url: string;
  close(): void;
}

/** Builds and serves the playground. */
export async function openSite(): Promise<Site> {
  const outDir = mkdtempSync(join(tmpdir(), 'buddy-playground-'));
  await build({ configFile: 'playground/vite.config.ts', logLevel: 'error', build: { outDir } });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const name = normalize(pathname.replace(/^\/some\/folder\//, '/')).replace(/\/$/, '/index.html');
    readFile(join(outDir, name)).then(
      (content) =>
        response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream').end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/some/folder/`,
    close: () => {
      server.close();
      rmSync(outDir, { recursive: true });
    },
  };
}
