// Files that are not traces, and how the reader tells. Cases: trace-sniffing, packed-traces, advise-oom.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeTrace, readTrace } from '../../src/trace.ts';

const blocks = Array.from(
  { length: 200 },
  (_, i) => `@ ./p:[0x1] + 0x${(4096 + 32 * i).toString(16)} 0x18\n`,
);
const mtrace = `= Start\n${blocks.join('')}`;

function reasonFor(bytes: Uint8Array): Promise<{ code?: string; message: string }> {
  return readTrace(bytes).then(
    ({ format, ops }) => ({ message: `read as ${format}, ${ops.length} operations` }),
    (error: { code: string; message: string }) => error,
  );
}

describe('what is packed otherwise than by gzip is refused by name', () => {
  it.each([
    ['xz', ['-q', '-c']],
    ['zstd', ['-q', '-c']],
    ['bzip2', ['-q', '-c']],
    ['lz4', ['-q', '-c']],
  ])('%s', async (tool, argv) => {
    const { status, stdout } = spawnSync(tool, argv, { input: mtrace });
    if (status !== 0) return console.log(`${tool} is not there: its mark is not tested`);
    const reason = await reasonFor(stdout);
    expect(reason).toMatchObject({
      code: 'FORMAT',
      message: `not a trace: packed with ${tool}: unpack it first`,
    });
  });

  it('gzip twice', async () => {
    expect((await reasonFor(gzipSync(gzipSync(mtrace)))).message).toContain('packed with gzip twice');
  });

  it.each([
    ['a zip archive', 'PK\x03\x04\x14\0\0\0\x08\0'],
    ['a 7-Zip archive', '7z\xbc\xaf\x27\x1c\0\x04'],
    ['a tar archive', `p.mtrace${'\0'.repeat(249)}ustar\0`],
    ['an ELF program', '\x7fELF\x02\x01\x01\0\0\0\0\0'],
    ['a Windows program', 'MZ\x90\0\x03\0\0\0'],
    ['a Mach-O program', '\xcf\xfa\xed\xfe\x07\0\0\x01'],
    ['a WebAssembly module', '\0asm\x01\0\0\0'],
    ['a PNG image', '\x89PNG\r\n\x1a\n\0\0\0\r'],
    ['a JPEG image', '\xff\xd8\xff\xe0\0\x10JFIF'],
    ['a PDF document', '%PDF-1.7\n'],
    ['an SQLite database', 'SQLite format 3\0\x10\0'],
  ])('%s', async (name, content) => {
    const bytes = Buffer.from(content, 'latin1');
    expect((await reasonFor(bytes)).message).toContain(`not a trace: ${name}`);
    expect((await reasonFor(gzipSync(bytes))).message).toContain(`not a trace: ${name}`);
  });

  it('this very program', async () => {
    expect((await reasonFor(readFileSync(process.execPath).subarray(0, 2 ** 20))).code).toBe('FORMAT');
  });
});

describe('text of another kind is refused', () => {
  const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
  it.each([
    ['UTF-16', Buffer.from(mtrace, 'utf16le')],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${mtrace}`, 'utf16le')],
    ['UTF-16, the other bytes first', swapped(mtrace)],
    ['UTF-16 with a mark, the other bytes first', swapped(`\ufeff${mtrace}`)],
  ])('%s', async (_, bytes) => {
    expect(await reasonFor(bytes)).toMatchObject({
      code: 'FORMAT',
      message: 'not a trace: text in UTF-16: convert it to UTF-8 first',
    });
  });

  it('a mark of UTF-8 is nothing of the kind', async () => {
    expect((await readTrace(new TextEncoder().encode(`\ufeff${mtrace}`))).ops.length).toBe(200);
  });

  it.each([0, 1, 2, 3])('a hole of NULs, in a file of length 4n + %i', async (more) => {
    let holed = `= Start\n${'\0'.repeat(400)}${mtrace}`;
    while (holed.length % 4 !== more) holed += '\n';
    expect(await reasonFor(Buffer.from(holed))).toMatchObject({
      code: 'LINE',
      message: 'line 2: holds NUL bytes (did a second program write here?)',
    });
  });
});

describe('integers without a header', () => {
  const bare = (ops: Int32Array): Uint8Array => encodeTrace({ ops }).subarray(12);
  it.each<[string, Uint8Array]>([
    ['zeros', new Uint8Array(4096)],
    ['zeros, packed', gzipSync(new Uint8Array(2 ** 20))],
    ['large numbers', bare(new Int32Array(1000).fill(2 ** 30))],
    ['small numbers', bare(new Int32Array(1000).fill(5))],
    ['blocks that come and go', bare(Int32Array.from({ length: 200 }, (_, i) => (i % 2 ? ~(i >> 1) : i)))],
    ['floats', new Uint8Array(new Float32Array(1000).fill(1.5).buffer)],
    ['text of one character', new Uint8Array(4000).fill(0x7f)],
  ])('%s are refused, but read if asked for', async (_, bytes) => {
    expect(await reasonFor(bytes)).toMatchObject({ message: expect.stringContaining('not a') });
    expect((await readTrace(bytes, { format: 'int32' })).ops.length).toBeGreaterThan(100);
  });

  it('packed data are refused', async () => {
    const noise = deflateSync(Array.from({ length: 5000 }, (_, i) => Math.sin(i)).join(' '));
    expect((await reasonFor(noise.subarray(0, noise.length & ~3))).code).toBeDefined();
  });

  it('any operations survive if the format is named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2 ** 31 - 1), { minLength: 1, size: 'large' }), async (sizes) => {
        const { ops } = await readTrace(bare(Int32Array.from(sizes)), { format: 'int32' });
        expect([...ops]).toEqual(sizes);
      }),
      { numRuns: 20 },
    );
  });
});

it('the format that is named is the one that is read', async () => {
  const text = Buffer.from('+ 0x10 0x18\n');
  expect((await readTrace(text, { format: 'mtrace' })).ops).toEqual(Int32Array.of(24));
  expect((await readTrace(text, { format: 'int32' })).ops.length).toBe(3);
  await expect(readTrace(Buffer.alloc(8, 1), { format: 'mtrace' })).rejects.toMatchObject({ code: 'LINE' });
});
