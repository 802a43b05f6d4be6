// The examples run, in their short form.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

function run(...parameters: string[]): string {
  return execFileSync(process.execPath, parameters, { encoding: 'utf8' });
}

describe('examples/wasm', () => {
  it('counts words, parses JSON, and ends with an empty heap', () => {
    const output = run('examples/wasm/main.mjs', 'docs/algorithm.md', 'docs/figures/scaling.json');
    expect(output).toMatch(/^\d+ different words: \d+ blocks/m);
    expect(output).toContain('it is what JSON.parse makes of it');
    expect(output).toMatch(/^At the end: 0 blocks/m);
  });
});

const scratch = mkdtempSync(join(tmpdir(), 'buddy-examples-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const lines = join(scratch, 'lines.wasm');
const hasLines = spawnSync('bash', ['examples/wasi/build.sh', lines]).status === 0;
const wasi = 'examples/wasi';

describe.skipIf(!hasLines)(
  hasLines ? wasi : `${wasi}: needs clang with wasm32, wasm-ld and wasi-libc`,
  () => {
    it('sorts lines, and ends with an empty heap', () => {
      const file = 'docs/algorithm.md';
      const { stdout, stderr } = spawnSync(process.execPath, ['examples/wasi/main.mjs', file, lines], {
        encoding: 'utf8',
      });
      const expected = readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => Buffer.from(line));
      expected.sort(Buffer.compare);
      expect(stdout).toBe(expected.map((line) => `${line.length} ${line}\n`).join(''));
      expect(stderr).toContain('0 blocks are left');
    });
  },
);

interface PoolReport {
  readonly results: readonly {
    readonly name: string;
    readonly messages: number;
    readonly checksum: number;
    readonly megabytesPerSecond: number;
    readonly pauses: number;
    readonly pauseMs: number;
    readonly liveBuffers: number;
  }[];
}

describe('examples/buffer-pool', () => {
  it('measures both kinds of buffers, which carry the same bytes, and releases every one', () => {
    const { results } = JSON.parse(run('examples/buffer-pool/main.mjs', '--quick', '--json')) as PoolReport;
    expect(results.map(({ name }) => name)).toEqual(['Heap', 'Buffer.allocUnsafeSlow']);
    const [pooled, unpooled] = results;
    expect(pooled.checksum).toBe(unpooled.checksum);
    expect(pooled.messages).toBe(unpooled.messages);
    expect(pooled.messages).toBeGreaterThan(100);
    for (const { megabytesPerSecond, liveBuffers } of results) {
      expect(megabytesPerSecond).toBeGreaterThan(0);
      expect(liveBuffers).toBe(0);
    }
  });

  it('prints both for people', () => {
    const output = run('examples/buffer-pool/main.mjs', '--quick');
    expect(output).toMatch(/^Heap +\d+ MB\/s.* pauses/m);
    expect(output).toMatch(/^Buffer\.allocUnsafeSlow +\d+ MB\/s.* pauses/m);
  });
});
