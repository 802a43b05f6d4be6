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

export const entryPoints = Object.entries(exports)
  .filter(([, files]) => typeof files === 'object')
  .map(([path, files]) => {
    const name = path === '.' ? 'index' : path.slice(2);
    return {
      name,
      specifier: packageName + path.slice(1),
      source: sourceOf(name),
      built: Object.values(files),
    };
  });
