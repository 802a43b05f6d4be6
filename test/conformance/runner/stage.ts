// Copies of what the suite needs, with a bug planted in the built package, to see that the suite finds it.

import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NEEDED = ['dist', 'test/conformance', 'test/support/shared-blocks.mjs', 'data/sqlite.tr.gz'];

export interface Stage {
  readonly root: string;
  /** Changes the module `dist/ENTRY.js`: `code` runs after it, can change the classes in `real`, and can export others. */
  plant(entry: string, code: string): Promise<void>;
  remove(): Promise<void>;
}

/** A folder with a copy of the built package, the suite and its data. */
export async function stage(): Promise<Stage> {
  const root = await mkdtemp(join(tmpdir(), 'buddy-stage-'));
  for (const path of NEEDED) await cp(path, join(root, path), { recursive: true });
  // Files named .js are modules only where this says so.
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  return {
    root,
    plant: async (entry, code) => {
      const [module, moved] = [join(root, `dist/${entry}.js`), `real-${entry}.js`];
      await rename(module, join(root, `dist/${moved}`));
      await writeFile(module, `import * as real from './${moved}';\nexport * from './${moved}';\n${code}\n`);
    },
    remove: () => rm(root, { recursive: true }),
  };
}
