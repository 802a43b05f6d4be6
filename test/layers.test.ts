// The layers of src/: which folder may import which, and that no imports go round in a circle.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entryPoints } from '../scripts/entry-points.mjs';

/** The folders that each folder may import besides itself. A folder's entry point, src/NAME.ts, belongs to it. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  core: ['base'],
  slab: ['base', 'core'],
  heap: ['base', 'core', 'slab'],
  debug: ['base', 'heap'],
  mempool: ['base', 'heap'],
  shared: ['base'],
  'shared-slab': ['base', 'shared', 'slab'],
  'shared-heap': ['base', 'heap', 'shared', 'shared-slab', 'slab'],
  gpu: ['base', 'core'],
  webgpu: ['base', 'gpu'],
  webgl: ['base', 'gpu'],
  trace: ['base', 'core'],
  replicated: ['base', 'core'],
  prefixes: ['base', 'core'],
  cli: ['base', 'core', 'heap', 'prefixes', 'replicated', 'shared-heap', 'trace'],
};

/** The entry points that show more than one folder to the world. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  index: ['base', 'core'],
  shared: ['base', 'heap', 'shared', 'shared-heap'],
};

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => normalize(file));

/** The files of src/ that `file` imports, types included. */
function importsOf(file: string): string[] {
  const code = readFileSync(join('src', file), 'utf8');
  const specifiers = [...code.matchAll(/(?:^|\s)(?:from|import)\s*\(?'(\.{1,2}\/[^']+)'/g)].map(
    ([, path]) => path,
  );
  return specifiers
    .map((path) => normalize(join(dirname(file), path)))
    .filter((path) => path.endsWith('.ts'));
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** The folder that `file` belongs to; for an entry point the one that bears its name. */
function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.ts$/, '');
}

describe('the layers of src/', () => {
  it('are all known', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map(folderOf));
    expect([...folders].toSorted()).toEqual(Object.keys(LAYERS).toSorted());
  });

  it.each(files)('%s imports its own layer and those below', (file) => {
    const folder = folderOf(file);
    const isEntry = !file.includes('/');
    const allowed = new Set([folder, ...((isEntry ? ENTRIES[folder] : undefined) ?? LAYERS[folder] ?? [])]);
    expect((imports.get(file) ?? []).filter((path) => !files.includes(path))).toEqual([]);
    expect((imports.get(file) ?? []).filter((path) => !allowed.has(folderOf(path)))).toEqual([]);
  });

  it('has no circle of imports, types included', () => {
    const done = new Set<string>();
    const path: string[] = [];
    const circles: string[] = [];
    const visit = (file: string): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (path.includes(file) || done.has(file)) return;
      path.push(file);
      for (const next of imports.get(file) ?? []) visit(next);
      path.pop();
      done.add(file);
    };
    for (const file of files) visit(file);
    expect(circles).toEqual([]);
  });

  it('has the entry points, and nothing else, beside its folders', () => {
    const beside = files.filter((file) => !file.includes('/')).map((file) => `src/${file}`);
    expect(beside.toSorted()).toEqual(entryPoints.map(({ source }) => source).toSorted());
    for (const file of beside) {
      const code = readFileSync(file, 'utf8').replace(/^\/\/.*$/gm, '');
      expect([file, code.replace(/export (type )?\{[^}]*\} from '[^']+';/g, '').trim()]).toEqual([file, '']);
    }
  });
});
