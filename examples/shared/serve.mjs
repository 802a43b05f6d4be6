// Serves the page. `node examples/shared/serve.mjs [--port 8080]`, after `npm run build`.
//
// A page gets a SharedArrayBuffer only if it is cross-origin isolated. These two headers make it so.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { parseArgs } from 'node:util';

const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const path = pathname === '/' ? '/index.html' : pathname;
  const isBuilt = /^\/dist\/[\w.-]+\.js$/.test(path);
  if (!isBuilt && !/^\/[\w-]+\.(html|js|css)$/.test(path)) return response.writeHead(404).end();
  try {
    const content = await readFile(new URL(isBuilt ? `../..${path}` : `.${path}`, import.meta.url));
    response.writeHead(200, { ...ISOLATION, 'content-type': TYPES[extname(path)] }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(values.port), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}/`);
});
