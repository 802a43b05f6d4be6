// Packs the package as it would be published, lints the tarball, installs it in an empty folder and uses it there:
// from modules and CommonJS, from TypeScript under both module resolutions, and as a command.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const project = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const bin = (name) => join(project, 'node_modules/.bin', name);
const folder = mkdtempSync(join(tmpdir(), 'buddy-package-'));

function run(what, command, args, cwd = folder) {
  try {
    const output = execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    console.log(`ok   ${what}`);
    return output.trim();
  } catch (error) {
    console.error(`FAIL ${what}\n${error.stdout ?? ''}${error.stderr ?? error}`);
    process.exitCode = 1;
    return '';
  }
}

const consumer = `
import { BuddyAllocator, BuddyError } from 'buddy-allocator';
import { DebugHeap } from 'buddy-allocator/debug';
import { Heap } from 'buddy-allocator/heap';
import { MemPool } from 'buddy-allocator/mempool';
import { Prefixes } from 'buddy-allocator/prefixes';
import { MemoryLog, ReplicatedArena } from 'buddy-allocator/replicated';
import { SharedBuddyAllocator } from 'buddy-allocator/shared';
import { encodeTrace, readTrace, replay, traceFromOps } from 'buddy-allocator/trace';
import { BufferPool as WebGlPool } from 'buddy-allocator/webgl';
import { BufferPool } from 'buddy-allocator/webgpu';
const arena = new BuddyAllocator({ capacity: 48 });
const offset = arena.alloc(5);
if (offset !== 0 || arena.sizeOf(offset) !== 8) throw new Error('placement');
try { arena.free(1); } catch (error) { if (!(error instanceof BuddyError) || error.code !== 'INTERIOR') throw error; }
if (arena.free(offset) !== 8 || arena.freeUnits !== 48) throw new Error('free');
const heap = new Heap({ size: 65536 });
const floats = heap.allocArray(Float32Array, 10);
if (floats === null || floats.length !== 10) throw new Error('heap');
heap.free(floats);
if (new DebugHeap({ size: 65536 }).malloc(8) === 0) throw new Error('debug');
if (new MemPool({ size: 65536 }).malloc(8) === 0) throw new Error('mempool');
if (SharedBuddyAllocator.create({ capacity: 48 }).alloc(5) % 8 !== 0) throw new Error('shared');
if (typeof BufferPool !== 'function') throw new Error('webgpu');
if (typeof WebGlPool !== 'function') throw new Error('webgl');
const replicated = await ReplicatedArena.open(new MemoryLog(), 'pool', { capacity: 48 });
if ((await replicated.alloc(5))?.size !== 8) throw new Error('replicated');
if (new Prefixes({ pool: '10.0.0.0/8', longest: 28 }).alloc(24) !== '10.0.0.0/24') throw new Error('prefixes');
const trace = await readTrace(encodeTrace(traceFromOps(Int32Array.of(100, ~0))));
if (replay(trace, { unit: 16, capacity: 64 }).failures !== 0) throw new Error('replay');
`;

const packed = run('npm pack', 'npm', ['pack', '--silent', '--pack-destination', folder], project);
const tarball = join(folder, packed.split('\n').at(-1) ?? '');
run('publint', bin('publint'), ['--strict', tarball]);
run('attw', bin('attw'), ['--profile', 'esm-only', tarball]);
writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
run('install', 'npm', ['install', '--silent', '--no-audit', '--no-fund', '--offline', tarball]);
writeFileSync(join(folder, 'consumer.js'), consumer);
run('JavaScript', 'node', ['consumer.js']);
writeFileSync(
  join(folder, 'consumer.cjs'),
  `const { Heap } = require('buddy-allocator/heap');
if (new Heap({ size: 65536 }).malloc(8) === 0) throw new Error('heap');`,
);
run('CommonJS', 'node', ['consumer.cjs']);
writeFileSync(join(folder, 'consumer.ts'), consumer);
const strict = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2023,dom'];
run('TypeScript, nodenext', bin('tsc'), [...strict, '--module', 'nodenext', 'consumer.ts']);
run('TypeScript, bundler', bin('tsc'), [
  ...strict,
  '--module',
  'esnext',
  '--moduleResolution',
  'bundler',
  'consumer.ts',
]);
run('the command', 'npx', ['--no-install', 'buddy', '--version']);
rmSync(folder, { recursive: true });
