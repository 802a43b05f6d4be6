// Builds dist/ when it is missing or older than what it is made from.

import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';

/** Time of the newest file under `path`; 0 when there is none. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

const built = Math.min(
  ...['index.js', 'heap.js', 'mempool.js', 'debug.js', 'shared.js', 'webgpu.js', 'trace.js', 'cli.js'].map(
    (name) => newest(`dist/${name}`),
  ),
);
if (built < Math.max(newest('src'), newest('tsdown.config.mjs'), newest('package.json'))) {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  // What a build says is of interest only when it fails.
  if (status !== 0) process.stderr.write(`${stdout}${stderr}`);
  process.exitCode = status ?? 1;
}
