import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', trace: 'src/trace/index.ts', cli: 'src/cli/main.ts' },
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  sourcemap: true,
});
