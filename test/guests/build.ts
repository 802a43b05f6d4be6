// Lua and SQLite as WebAssembly modules, built from Debian's sources where the tools for it are.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A C program, as a module with wasi-libc's own malloc and as one that imports malloc. */
export interface GuestModules {
  readonly own: WebAssembly.Module;
  readonly heap: WebAssembly.Module;
}

export type GuestName = 'lua' | 'sqlite';

const folder = fileURLToPath(new URL('../../node_modules/.cache/guests/', import.meta.url));
const sources = fileURLToPath(new URL('.', import.meta.url));
const imports = fileURLToPath(new URL('../../examples/wasi/heap.imports', import.meta.url));

/** Debian's packages that have the tools. */
const PACKAGES = 'clang lld llvm wasi-libc libclang-rt-dev-wasm32 dpkg-dev make gcc libc6-dev tcl';

/** What the tools are called. apt takes the signatures of its lists from the keyring. */
const COMMANDS = ['clang', 'wasm-ld', 'llvm-ar', 'apt-get', 'dpkg-source', 'make', 'cc', 'tclsh'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Why the guests cannot be built here; undefined if they can. */
export function missingTools(): string | undefined {
  const missing = COMMANDS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (!existsSync(KEYRING)) missing.push(KEYRING);
  if (missing.length === 0 && !linksC()) missing.push('wasi-libc or its compiler-rt');
  return missing.length === 0 ? undefined : `no ${missing.join(', ')}: install Debian's ${PACKAGES}`;
}

/** Whether a C program for wasi-libc can be compiled and linked. */
function linksC(): boolean {
  const scratch = mkdtempSync(join(tmpdir(), 'buddy-guests-'));
  const file = join(scratch, 'empty.c');
  writeFileSync(file, '#include <stdlib.h>\nint main(void) { return 0; }\n');
  const { status } = spawnSync('clang', ['--target=wasm32-wasi', '-o', join(scratch, 'empty.wasm'), file]);
  rmSync(scratch, { recursive: true });
  return status === 0;
}

/**
 * The modules of all guests. Builds them if a file of theirs has changed, which takes a minute.
 *
 * @throws Error with what the build has printed, if it fails.
 */
export function buildGuests(): Record<GuestName, GuestModules> {
  const names: GuestName[] = ['lua', 'sqlite'];
  const files = names.flatMap((name) => [`${name}.own.wasm`, `${name}.heap.wasm`]);
  const inputs = readdirSync(sources).filter((name) => /\.(c|h|sh)$/.test(name));
  const newest = Math.max(
    ...[...inputs.map((name) => join(sources, name)), imports].map((name) => statSync(name).mtimeMs),
  );
  const isBuilt = (name: string): boolean =>
    existsSync(join(folder, name)) && statSync(join(folder, name)).mtimeMs > newest;
  if (!files.every(isBuilt)) {
    console.error('Building Lua and SQLite from their sources …');
    const { status, stdout, stderr } = spawnSync('bash', [join(sources, 'build.sh'), folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the guests were not built:\n${stdout}${stderr}`);
  }
  const compiled = (name: string): WebAssembly.Module =>
    new WebAssembly.Module(readFileSync(join(folder, name)));
  const modules = (name: GuestName): GuestModules => ({
    own: compiled(`${name}.own.wasm`),
    heap: compiled(`${name}.heap.wasm`),
  });
  return { lua: modules('lua'), sqlite: modules('sqlite') };
}
