// Builds dist/. With --if-needed: only if a file is missing or older than the sources. Prints nothing but what
// is wrong.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { entryPoints } from './entry-points.mjs';

const SOURCES = ['src', 'scripts/build.mjs', 'scripts/entry-points.mjs', 'tsdown.config.mjs', 'package.json'];

/** Time of the newest file under `path`; 0 when there is none. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

function isUpToDate() {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  const built = [...entryPoints.flatMap((entryPoint) => entryPoint.built), ...Object.values(bin)];
  return Math.min(...built.map(newest)) >= Math.max(...SOURCES.map(newest));
}

const ifNeeded = process.argv.includes('--if-needed');
if (!ifNeeded || !isUpToDate()) {
  const { build } = await import('tsdown');
  // Warnings are of no interest to whoever asked for something else.
  await build({ logLevel: ifNeeded ? 'error' : 'warn' });
}
