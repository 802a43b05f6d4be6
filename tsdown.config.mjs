import license from 'rollup-plugin-license';
import { defineConfig } from 'tsdown';
import { entryPoints } from './scripts/entry-points.mjs';

/** That a plugin takes most of the time is to be expected. */
const checks = { pluginTimings: false };

/** The package's entry points, for every runtime. */
const library = {
  entry: Object.fromEntries(entryPoints.map(({ name, source }) => [name, source])),
  platform: 'neutral',
  target: 'es2022',
  define: { __DEV__: 'false' },
  checks,
};

export default defineConfig([
  { ...library, dts: false, sourcemap: true },
  // The types are built apart: their source maps would lead to files that are not published.
  { ...library, dts: { emitDtsOnly: true }, clean: false },
  {
    // The command's libraries are bundled into it: whoever installs the package installs nothing else.
    entry: { cli: 'src/cli/main.ts' },
    deps: { onlyBundle: false },
    platform: 'node',
    target: 'node20',
    checks,
    dts: false,
    minify: true,
    clean: false,
    plugins: [license({ thirdParty: { output: 'dist/THIRD-PARTY-NOTICES.txt' } })],
    hash: false,
    // Parts of the command must not take the names of entry points.
    outputOptions: { chunkFileNames: 'cli/[name].js' },
    fixedExtension: false,
  },
]);
