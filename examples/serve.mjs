// Serves the page of an example. `node examples/serve.mjs shared` or `meshes`, with `--port 8080`; in a clone after
// `npm run build`.
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '8080' } },
});
const [example = ''] = positionals;
if (!['meshes', 'shared'].includes(example)) {
  console.error('Which example: meshes or shared?');
  process.exit(2);
}

/** Where a file lies, relative to this one; null if it is none that a page may have. */
function find(pathname) {
  if (/^\/dist\/[\w.-]+\.js$/.test(pathname)) return `..${pathname}`;
  if (pathname === '/style.css') return './style.css';
  const path = pathname === '/' ? '/index.html' : pathname;
  return /^\/[\w-]+\.(html|js)$/.test(path) ? `./${example}${path}` : null;
}

const server = createServer(async (request, response) => {
  const path = find(new URL(request.url ?? '/', 'http://localhost').pathname);
  if (path === null) return response.writeHead(404).end();
  try {
    const content = await readFile(new URL(path, import.meta.url));
    response.writeHead(200, { ...ISOLATION, 'content-type': TYPES[extname(path)] }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(values.port), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}/`);
});
