// Bundles the modules of a benchmark as the package is, because a loader of TypeScript makes worker threads several times
// slower.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'tsdown';

/** The URL of each bundled module, by its name. */
export type Bundle = (name: string) => string;

/**
 * Calls `use` with modules that are bundled for Node, and removes them afterwards. The name of a module is its path from the root
 * of the project, without the extension. `mode` is what the peer's sources ask the bundler for: in development they check more.
 */
export async function withBundle<T>(
  modules: Iterable<string>,
  use: (bundle: Bundle) => Promise<T>,
  mode: 'production' | 'development' = 'production',
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bundle-'));
  try {
    await build({
      entry: Object.fromEntries(Array.from(modules, (name) => [name, `${name}.ts`])),
      outDir: folder,
      platform: 'node',
      noExternal: /./,
      define: { __DEV__: 'false', 'import.meta.env.MODE': JSON.stringify(mode) },
      outExtensions: () => ({ js: '.mjs' }),
      dts: false,
      logLevel: 'silent',
      config: false,
    });
    return await use((name) => pathToFileURL(join(folder, `${name}.mjs`)).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
