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
 * Calls `use` with modules that are bundled for Node, and removes them afterwards. `entry` has their paths from the root of the
 * project by their names.
 */
export async function withBundle<T>(
  entry: Record<string, string>,
  use: (bundle: Bundle) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bundle-'));
  try {
    await build({
      entry,
      outDir: folder,
      platform: 'node',
      noExternal: /./,
      // The peer's sources ask the bundler for the mode.
      define: { __DEV__: 'false', 'import.meta.env.MODE': '"production"' },
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
