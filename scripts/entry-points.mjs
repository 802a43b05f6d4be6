// The package's entry points, as the `exports` of package.json have them.

import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { name: packageName, exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** The module in src/ that becomes `dist/NAME.js`. */
function sourceOf(name) {
  const source = `src/${name}.ts`;
  if (!existsSync(new URL(source, root)))
    throw new Error(`package.json exports ${name}, but there is no ${source}`);
  return source;
}

/** Paths below another's, such as ./mempool/pool, are further names of the same files. */
const isAlias = (path) => path.slice(2).includes('/');

export const entryPoints = Object.entries(exports)
  .filter(([path, files]) => typeof files === 'object' && !isAlias(path))
  .map(([path, files]) => {
    const name = path === '.' ? 'index' : path.slice(2);
    return {
      name,
      specifier: packageName + path.slice(1),
      source: sourceOf(name),
      built: Object.values(files),
    };
  });
