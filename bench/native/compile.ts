// Compiles the C sources of the benchmarks with a compiler of this machine, if it has one.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A compiled file, or why there is none. */
export type Build =
  | { readonly file: string; readonly compiler: string }
  | { readonly file?: undefined; readonly missing: string };

/**
 * Compiles a file of this directory with the first of the commands that is there.
 *
 * @param output name of the compiled file
 */
export function compile(
  source: string,
  output: string,
  commands: readonly (string | undefined)[],
  flags: readonly string[],
): Build {
  const build = new URL('../.build/', import.meta.url);
  const file = fileURLToPath(new URL(output, build));
  for (const command of commands) {
    if (!command) continue;
    const version = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (version.status !== 0) continue;
    mkdirSync(build, { recursive: true });
    const path = fileURLToPath(new URL(source, import.meta.url));
    const compiled = spawnSync(command, [...flags, '-o', file, path], { encoding: 'utf8' });
    if (compiled.status !== 0) return { missing: `${command} failed: ${compiled.stderr.trim()}` };
    return { file, compiler: [version.stdout.split('\n')[0], ...flags].join(' ') };
  }
  return { missing: 'no compiler found' };
}

/** Compiles `program`.c for this machine with $CC, cc, gcc or clang, the first that is there. */
export function compileNative(program: string): Build {
  return compile(`${program}.c`, program, [process.env.CC, 'cc', 'gcc', 'clang'], ['-O3', '-march=native']);
}

/** How a build is reported. */
export function describe(build: Build): string {
  return build.file === undefined ? `left out, ${build.missing}` : build.compiler;
}
