import { defineConfig } from 'tsdown';

export default defineConfig([
  {
    entry: { index: 'src/index.ts', trace: 'src/trace/index.ts' },
    platform: 'neutral',
    target: 'es2022',
    dts: true,
    sourcemap: true,
    hash: false,
  },
  {
    // The command's libraries are bundled into it: whoever installs the package installs nothing else.
    entry: { cli: 'src/cli/main.ts' },
    platform: 'node',
    target: 'node20',
    dts: false,
    clean: false,
    hash: false,
    fixedExtension: false,
  },
]);
