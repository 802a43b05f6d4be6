// Bundles the modules of a benchmark as the package is, because a loader of TypeScript makes worker threads several times
// slower.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'tsdown';

/** Bundled modules. */
export interface Bundle {
  /** The URL of the module that `name` names. */
  url(name: string): string;
  /** Removes the modules from the disk. */
  remove(): void;
}

/**
 * Bundles modules for Node. The name of a module is its path from the root of the project, without the extension. `mode` is
 * what the peer's sources ask the bundler for: in development they check more.
 */
export async function bundleOf(
  modules: Iterable<string>,
  mode: 'production' | 'development' = 'production',
): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bundle-'));
  const remove = (): void => rmSync(folder, { recursive: true });
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
  } catch (error) {
    remove();
    throw error;
  }
  return { url: (name) => pathToFileURL(join(folder, `${name}.mjs`)).href, remove };
}
