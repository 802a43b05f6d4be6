// Builds the playground as static files with relative paths, for any folder of any web server.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: './',
  build: { outDir: here('dist'), emptyOutDir: true, target: 'es2022' },
  server: { fs: { allow: [here('..')] } },
});
