import license from 'rollup-plugin-license';
import { defineConfig } from 'tsdown';

export default defineConfig([
  {
    entry: {
      index: 'src/index.ts',
      heap: 'src/heap/index.ts',
      mempool: 'src/mempool/index.ts',
      debug: 'src/debug/index.ts',
      shared: 'src/shared/index.ts',
      webgpu: 'src/webgpu/index.ts',
      trace: 'src/trace/index.ts',
    },
    platform: 'neutral',
    target: 'es2022',
    dts: true,
    sourcemap: true,
  },
  {
    // The command's libraries are bundled into it: whoever installs the package installs nothing else.
    entry: { cli: 'src/cli/main.ts' },
    platform: 'node',
    target: 'node20',
    dts: false,
    minify: true,
    clean: false,
    plugins: [license({ thirdParty: { output: 'dist/THIRD-PARTY-NOTICES.txt' } })],
    hash: false,
    fixedExtension: false,
  },
]);
