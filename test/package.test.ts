// The package as it is published: what is in it, what its links lead to, and how programs load it.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundle } from '../scripts/bundle.ts';
import { entryPoints } from '../scripts/entry-points.mjs';

const packed = new Set(
  (
    JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as [{ files: { path: string }[] }]
  )[0].files.map(({ path }) => path),
);

/** Targets of the links of a page that lead to other files, from the project's root. */
function targets(page: string): string[] {
  const links = readFileSync(page, 'utf8').matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g);
  return [...links].map(([, target]) => posix.join(posix.dirname(page), target));
}

const isPacked = (path: string): boolean =>
  packed.has(path) || [...packed].some((file) => file.startsWith(`${path}/`));

describe('the tarball', () => {
  it('has what is for users, and nothing else', () => {
    const folders = new Set([...packed].map((path) => path.split('/')[0]));
    expect([...folders].sort()).toEqual([
      ...['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
      ...['dist', 'docs', 'examples', 'package.json', 'recorder'],
    ]);
  });

  it('has everything that its README leads to', () => {
    const links = targets('README.md');
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((path) => !isPacked(path))).toEqual([]);
  });

  const pages = [...packed].filter((path) => /^docs\/.*\.md$/.test(path));
  it.each(pages)('has every page and figure that %s leads to', (page) => {
    const links = targets(page).filter((path) => /^docs\/|^[A-Z]+\.md$|^examples\b/.test(path));
    expect(links.filter((path) => !isPacked(path))).toEqual([]);
  });
});

describe('package.json', () => {
  it('is such that npm has nothing to correct when it publishes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'buddy-manifest-'));
    try {
      cpSync('package.json', join(folder, 'package.json'));
      execFileSync('npm', ['pkg', 'fix'], { cwd: folder, stdio: 'ignore' });
      expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toEqual(
        JSON.parse(readFileSync('package.json', 'utf8')),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each(entryPoints)('$specifier', ({ specifier }) => {
  it('loads by require, with the exports that import gives', () => {
    const code = `
      const required = Object.keys(require('${specifier}'));
      import('${specifier}').then((module) => {
        require('node:assert').deepEqual(required, Object.keys(module));
        console.log(required.length);
      });`;
    const count = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    expect(Number(count)).toBeGreaterThan(0);
  });

  it('has no side effects, as its manifest says', async () => {
    expect((await bundle(`import * as unused from '${specifier}';`)).minified).toBe(0);
    const code = `
      const owners = [globalThis, Object, Array.prototype, ArrayBuffer.prototype, Promise.prototype, process];
      const names = () => owners.map((owner) => Reflect.ownKeys(owner).length + process.listenerCount('exit'));
      const before = names();
      import('${specifier}').then(() => console.log(JSON.stringify([before, names()])));`;
    const [before, after] = JSON.parse(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' }));
    expect(after).toEqual(before);
  });
});
