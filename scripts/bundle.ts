// What a program that imports something pays for it: the bundle that esbuild makes, minified.

import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** The bundle of a module. Sizes are bytes. */
export interface Bundle {
  readonly minified: number;
  readonly gzip: number;
  readonly brotli: number;
  /** Bytes by the file that they come from, relative to the project; only files of which something is left. */
  readonly files: ReadonlyMap<string, number>;
}

/** Bundles `code`, a module that lies in the project's folder. It may import the package by its name: that is dist/. */
export async function bundle(code: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL('..', import.meta.url)), loader: 'ts' },
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
  });
  const { contents } = outputFiles[0];
  const [{ inputs }] = Object.values(metafile.outputs);
  const used = Object.entries(inputs).filter(
    ([file, { bytesInOutput }]) => file !== '<stdin>' && bytesInOutput > 0,
  );
  return {
    minified: contents.length,
    gzip: gzipSync(contents, { level: 9 }).length,
    brotli: brotliCompressSync(contents).length,
    files: new Map(used.map(([file, { bytesInOutput }]) => [file, bytesInOutput])),
  };
}
