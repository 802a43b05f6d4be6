// Runtimes that come as npm packages. They are large, so they are installed on demand, into a cache, and are no dependencies.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { existing } from './find.ts';

const CACHE = resolve('node_modules/.cache/runtimes');

/** The packages: the version that is installed unless the newest is asked for, and where the program is in it. */
const PACKAGES = {
  node: { version: '26.10.0', program: 'bin/node' },
  bun: { version: '1.4.5', program: 'bin/bun' },
  deno: { version: '2.9.6', program: 'deno' },
} as const;

export type PackageName = keyof typeof PACKAGES;

/** The program that was installed from a package; null when it was not. */
export function installed(name: PackageName): string | null {
  return existing([`${CACHE}/node_modules/${name}/${PACKAGES[name].program}`]);
}

/** Installs packages, at the versions above or the newest. Each brings its program by an install script, which needs leave. */
export async function install(names: readonly PackageName[], newest: boolean): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const allowScripts = Object.fromEntries(Object.keys(PACKAGES).map((name) => [name, true]));
  // Once there, it lists what is installed, and npm would take away what it does not list.
  await writeFile(`${CACHE}/package.json`, JSON.stringify({ private: true, allowScripts }), {
    flag: 'wx',
  }).catch(() => undefined);
  const wanted = names.map((name) => `${name}@${newest ? 'latest' : PACKAGES[name].version}`);
  const shell = process.platform === 'win32';
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...wanted], { cwd: CACHE, shell });
}
