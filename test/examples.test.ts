// The examples run, in their short form.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ExamplePage, openExample } from './browser/example.ts';

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

describe('examples/workers', () => {
  it('replaces workers that hang, and leaves nothing in the heap', () => {
    const output = run('examples/workers/main.mjs');
    expect(output.match(/^job \d+ hangs: its worker is replaced, \d blocks of \d+ bytes/gm)).toHaveLength(3);
    expect(output).toMatch(/^17 answers, \d+ letters; 0 blocks are left$/m);
  });
});

describe('examples/cache', () => {
  it('grows up to its maximum, and keeps what is used', () => {
    const output = run('examples/cache/main.mjs');
    expect(output).toMatch(/^After 1,000 strings: 1000 strings/m);
    const [, used, memory] =
      /^After 20,000 strings: .* (\d+) bytes in use of a memory of (\d+)$/m.exec(output) ?? [];
    expect(Number(memory)).toBe(2 ** 22);
    expect(Number(used)).toBeGreaterThan(0.9 * 2 ** 22);
  });
});

const opened = await openExample('meshes');
const reason = typeof opened === 'string' ? opened : null;
afterAll(async () => {
  if (typeof opened !== 'string') await opened.close();
});

describe.skipIf(reason !== null)(`examples/meshes${reason === null ? '' : ` (${reason})`}`, () => {
  const { page, complaints } = opened as ExamplePage;
  const figure = async (id: string) => Number(await page.locator(`#${id}`).innerText());

  it('draws meshes from a few buffers, and from fewer once it has defragmented', async () => {
    await expect.poll(() => figure('frames'), { timeout: 20_000 }).toBeGreaterThan(10);
    expect(await figure('meshes')).toBe(400);
    const before = await figure('buffers');
    await page.locator('#half').click();
    await expect.poll(() => figure('meshes')).toBe(200);
    await page.locator('#defragment').click();
    await expect.poll(() => figure('buffers'), { timeout: 20_000 }).toBeLessThan(before);
    expect(await figure('moved')).toBeGreaterThan(10);
    expect(complaints).toEqual([]);
  });
});

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
