// Reading and writing traces: int32 and mtrace, plain and gzip, and all errors that a file can have.

import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTraceStream } from '../../src/trace/formats/file.ts';
import { gunzip } from '../../src/trace/formats/gzip.ts';
import {
  encodeTrace,
  type ReadOptions,
  readTrace,
  TraceError,
  type TraceErrorCode,
  traceFromOps,
} from '../../src/trace.ts';

function text(...lines: string[]): Uint8Array {
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** Operations with their header, written without the code under test. */
function int32(...ops: number[]): Uint8Array {
  return Buffer.concat([Buffer.from('BUDT'), bare(1, ops.length, ...ops)]);
}

/** Little-endian int32. */
function bare(...ops: number[]): Uint8Array {
  const bytes = Buffer.alloc(ops.length * 4);
  ops.forEach((op, i) => {
    bytes.writeInt32LE(op, i * 4);
  });
  return bytes;
}

async function opsOf(bytes: Uint8Array, options?: ReadOptions): Promise<number[]> {
  return [...(await readTrace(bytes, options)).ops];
}

async function refusal(bytes: Uint8Array, options?: ReadOptions): Promise<TraceError> {
  const error: unknown = await readTrace(bytes, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TraceError);
  return error as TraceError;
}

describe('int32', () => {
  it('is read as it stands', async () => {
    expect(await readTrace(int32(100, 0, ~0, 2 ** 31 - 1, ~2))).toEqual({
      format: 'int32',
      ops: Int32Array.of(100, 0, ~0, 2 ** 31 - 1, ~2),
      allocations: 3,
      frees: 2,
      skippedFrees: 0,
      impliedFrees: 0,
      refusedRequests: 0,
      oversizedRequests: 0,
      cutOffLines: 0,
    });
  });

  it('may be gzip, and may lie anywhere in its buffer', async () => {
    expect(await opsOf(gzipSync(int32(1, 2, ~0)))).toEqual([1, 2, ~0]);
    const buffer = Buffer.concat([Buffer.from([9]), int32(1, 2, ~0), Buffer.from([9, 9])]);
    expect(await opsOf(buffer.subarray(1, 25))).toEqual([1, 2, ~0]);
  });

  it('is read without a header only if it is named', async () => {
    const format = 'int32';
    expect(await readTrace(bare(100, 0, ~0), { format })).toMatchObject({
      format,
      ops: Int32Array.of(100, 0, ~0),
    });
    expect(await opsOf(gzipSync(bare(1, ~0)), { format })).toEqual([1, ~0]);
    for (const bytes of [bare(100, 0, ~0), gzipSync(bare(100, ~0)), bare(24, 24, 24, 24)]) {
      expect(await refusal(bytes)).toMatchObject({
        code: 'FORMAT',
        message:
          'not a trace: neither text nor int32 with its header (to read integers without one, name the format int32)',
      });
    }
  });

  it('is read with its header also if it is named', async () => {
    expect(await opsOf(int32(1, ~0), { format: 'int32' })).toEqual([1, ~0]);
  });

  it('may leave the number of its operations open, as a trace does that is written while it is recorded', async () => {
    const open = Buffer.concat([Buffer.from('BUDT'), bare(1, -1)]);
    expect(await opsOf(Buffer.concat([open, bare(7, 8, ~1)]))).toEqual([7, 8, ~1]);
    expect(await refusal(open)).toMatchObject({ code: 'EMPTY' });
    expect(await refusal(Buffer.concat([open, bare(7).subarray(0, 3)]))).toMatchObject({
      code: 'LENGTH',
      at: 0,
    });
  });

  it('is the output of encodeTrace', async () => {
    const trace = await readTrace(readFileSync(new URL('../../data/sqlite.tr.gz', import.meta.url)));
    const bytes = encodeTrace(trace);
    expect(bytes.length).toBe(12 + trace.ops.length * 4);
    expect(Buffer.from(bytes.subarray(12)).equals(Buffer.from(trace.ops.buffer))).toBe(true);
    expect([...encodeTrace(traceFromOps(Int32Array.of(258, ~0)))]).toEqual(
      [66, 85, 68, 84, 1, 0, 0, 0, 2, 0, 0, 0].concat([2, 1, 0, 0, 255, 255, 255, 255]),
    );
  });

  it('survives writing and reading with any operations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(2 ** 24), fc.boolean()), { minLength: 1 }), async (steps) => {
        const ops = steps.flatMap(([size, freed], id) => (freed ? [size, ~id] : [size]));
        expect(await opsOf(encodeTrace({ ops: Int32Array.from(ops) }))).toEqual(ops);
      }),
    );
  });

  it.each<[string, Uint8Array, TraceErrorCode, number, string]>([
    ['a length that is not a multiple of 4', int32(1, 2).subarray(0, 19), 'LENGTH', 1, 'entry 1: '],
    [
      'an operation less than the header counts',
      int32(1, 2).subarray(0, 16),
      'LENGTH',
      1,
      'counts 2 operations, but',
    ],
    [
      'an operation more',
      Buffer.concat([int32(1, 2), bare(3)]),
      'LENGTH',
      2,
      'counts 2 operations, but the file has 3',
    ],
    ['a free before any allocation', int32(~0), 'UNKNOWN_ID', 0, 'entry 0: frees id 0, but nothing'],
    [
      'a free of an id to come',
      int32(5, ~1, 5),
      'UNKNOWN_ID',
      1,
      'entry 1: frees id 1, but the last id allocated is 0',
    ],
    ['the lowest int32', int32(5, -(2 ** 31)), 'UNKNOWN_ID', 1, 'entry 1: frees id 2147483647'],
    ['a double free', int32(5, 6, ~1, ~0, ~1), 'DOUBLE_FREE', 4, 'entry 4: frees id 1 a second time'],
  ])('%s is an error that names the entry', async (_, bytes, code, at, message) => {
    const error = await refusal(bytes);
    expect(error).toMatchObject({ name: 'TraceError', code, at });
    expect(error.message).toContain(message);
    expect(await refusal(gzipSync(bytes))).toMatchObject({ code, at });
  });

  it.each<[string, Uint8Array, TraceErrorCode, string]>([
    ['cut off', int32(1).subarray(0, 11), 'LENGTH', 'the file ends within its header'],
    [
      'of a later version',
      Buffer.concat([Buffer.from('BUDT'), bare(2, 1, 1)]),
      'VERSION',
      'version 2 of the format, not 1',
    ],
    ['without operations', int32(), 'EMPTY', 'no operations'],
  ])('a header %s is an error', async (_, bytes, code, message) => {
    const error = await refusal(bytes);
    expect(error).toMatchObject({ code, at: undefined });
    expect(error.message).toMatch(message);
    expect(await refusal(bytes, { format: 'int32' })).toMatchObject({ code });
  });
});

describe('mtrace', () => {
  it('has allocations, frees and reallocs, with callers or without', async () => {
    const trace = await readTrace(
      text(
        '= Start',
        '@ ./prog:[0x11ca] + 0x55c6a0 0xa',
        '@ /lib/libc.so.6:(getdelim+8c)[0x758cc] + 0x55c6c0 0x1000',
        '@ /a b/prog + x:[0x11df] - 0x55c6a0',
        '+ 0x7fffffffff10 0',
        '@ [0x1] < 0x55c6c0',
        '@ [0x1] > 0x55d000 0x2000',
        '- 0x7fffffffff10',
        '= End',
      ),
    );
    expect(trace).toEqual({
      format: 'mtrace',
      // A realloc that moves: the new block is there before the old one goes.
      ops: Int32Array.of(10, 0x1000, ~0, 0, 0x2000, ~1, ~2),
      allocations: 4,
      frees: 3,
      skippedFrees: 0,
      impliedFrees: 0,
      refusedRequests: 0,
      oversizedRequests: 0,
      cutOffLines: 0,
    });
  });

  it('a realloc that stays gives its room back first', async () => {
    expect(await opsOf(text('+ 0x10 0x8', '< 0x10', '> 0x10 0x80', '- 0x10'))).toEqual([8, ~0, 128, ~1]);
  });

  it('an address that was freed names a new block', async () => {
    expect(await opsOf(text('+ 0x10 0x1', '- 0x10', '+ 0x10 0x2', '- 0x10'))).toEqual([1, ~0, 2, ~1]);
  });

  it('frees of blocks from before the recording are skipped and counted', async () => {
    const trace = await readTrace(text('- 0x10', '+ 0x20 0x1', '< 0x30', '> 0x40 0x2', '- 0x20', '- 0x20'));
    expect([...trace.ops]).toEqual([1, 2, ~0]);
    expect(trace).toMatchObject({ skippedFrees: 3, impliedFrees: 0, allocations: 2, frees: 1 });
  });

  it('an allocation at a live address implies a free', async () => {
    const trace = await readTrace(text('+ 0x10 0x1', '+ 0x10 0x2', '+ 0x20 0x3', '< 0x20', '> 0x10 0x4'));
    expect([...trace.ops]).toEqual([1, ~0, 2, 3, ~1, 4, ~2]);
    expect(trace).toMatchObject({ impliedFrees: 2, skippedFrees: 0, allocations: 4, frees: 3 });
  });

  it('requests that the C library refused change nothing', async () => {
    const trace = await readTrace(
      text('+ 0x10 0x1', '! 0x10 0x4000000000000000', '+ (nil) 0x4000000000000000', '! (nil) 0x99', '- 0x10'),
    );
    expect([...trace.ops]).toEqual([1, ~0]);
    expect(trace).toMatchObject({ refusedRequests: 3 });
  });

  it('addresses above 2^53 are told apart', async () => {
    const [a, b] = ['0xb400007fff000001', '0xb400007fff000002'];
    expect(await opsOf(text(`+ ${a} 0x1`, `+ ${b} 0x2`, `- ${b}`, `- ${a}`))).toEqual([1, 2, ~1, ~0]);
  });

  it('may be gzip, without its ends, with empty lines and line ends of another system', async () => {
    expect(await opsOf(gzipSync(text('= Start', '+ 0x10 0x1')))).toEqual([1]);
    expect(await opsOf(new TextEncoder().encode('+ 0x10 0x1\r\n\r\n- 0x10'))).toEqual([1, ~0]);
    expect(await opsOf(new TextEncoder().encode('@ ./ä:[0x1] + 0x10 0x1\n'))).toEqual([1]);
  });

  it('any number of operations fits', async () => {
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `+ 0x${(i * 16 + 16).toString(16)} 0x${i.toString(16)}`,
    );
    expect(await opsOf(text(...lines))).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });

  const start = '= Start';
  it.each<[string, string[], TraceErrorCode, number]>([
    ['words', ['hello world'], 'LINE', 1],
    ['an unknown sign', [start, '+ 0x10 0x1', '* 0x10'], 'LINE', 3],
    ['an unknown mark', ['= Stop'], 'LINE', 1],
    ['an allocation without a size', [start, '+ 0x10'], 'LINE', 2],
    ['a free with a size', [start, '- 0x10 0x10'], 'LINE', 2],
    ['an address that is not a number', ['+ 0xzz 0x1'], 'LINE', 1],
    ['a free of nothing', ['- (nil)'], 'LINE', 1],
    ['a realloc of nothing', ['< (nil)'], 'LINE', 1],
    ['a decimal size', ['+ 0x10 10'], 'LINE', 1],
    ['words after the size', ['+ 0x10 0x1 bytes'], 'LINE', 1],
    ['a last line cut off', [start, '+ 0x10 0x1', '@ ./prog:[0x11'], 'LINE', 3],
    ['a caller too long to be one', [`@ ${'x'.repeat(20_000)} + 0x10 0x1`], 'LINE', 1],
    ['the result of a realloc alone', ['+ 0x10 0x1', '> 0x20 0x1'], 'REALLOC', 2],
    ['a realloc interrupted', ['+ 0x10 0x1', '< 0x10', '- 0x10', '> 0x10 0x1'], 'REALLOC', 3],
    ['a realloc interrupted by the end', ['+ 0x10 0x1', '< 0x10', '= End'], 'REALLOC', 3],
    ['an address of more than 64 bits', ['+ 0x10 0x1', '+ 0x10000000000000000 0x1'], 'LINE', 2],
    ['NULs', [start, '+ 0x10 0x1', '\0\0\0\0@ ./prog:[0x11ca] + 0x20 0x1'], 'LINE', 3],
    ['NULs in the name of a caller', ['+ 0x10 0x1', '@ ./pr\0\0:[0x11ca] + 0x20 0x1'], 'LINE', 2],
  ])('%s: an error that names the line', async (_, lines, code, at) => {
    const error = await refusal(text(...lines));
    expect(error).toMatchObject({ name: 'TraceError', code, at });
    expect(error.message).toMatch(new RegExp(`^line ${at}: `));
    expect(await refusal(gzipSync(text(...lines)))).toMatchObject({ code, at });
  });

  it.each<[string, string[], TraceErrorCode, number]>([
    ['2^31 bytes', ['+ 0x10 0x7fffffff', '+ 0x20 0x80000000'], 'SIZE', 2],
    ['2^31 bytes of a realloc', ['+ 0x10 0x1', '< 0x10', '> 0x10 0x80000000'], 'SIZE', 3],
    ['a realloc cut off', ['+ 0x10 0x1', '< 0x10'], 'REALLOC', 3],
  ])('%s: an error that names the line, if the trace must be complete', async (_, lines, code, at) => {
    const error = await refusal(text(...lines), { strict: true });
    expect(error).toMatchObject({ name: 'TraceError', code, at });
    expect(error.message).toMatch(new RegExp(`^line ${at}: `));
    expect(await refusal(gzipSync(text(...lines)), { strict: true })).toMatchObject({ code, at });
  });

  it('an error quotes the line, shortened and harmless to a terminal', async () => {
    expect((await refusal(text('+ 0x10 0x1', '+ ten 0x1'))).message).toContain('"+ ten 0x1"');
    const { message } = await refusal(
      text('+ 0x10 0x1', ...Array(30).fill('- 0x10'), `\u001b[2J${'y'.repeat(500)}`),
    );
    expect(message).not.toContain('\u001b');
    // The case cli-small: a character that turns the text after it around.
    expect((await refusal(text('+ 0x10 0x1', '@ \u202egnp.exe'))).message).toContain('"@ \\u202egnp.exe"');
    expect(message.length).toBeLessThan(120);
  });
});

describe('files without operations', () => {
  it.each([
    ['no byte', new Uint8Array(0)],
    ['no byte, packed', gzipSync('')],
    ['no operation', text('= Start', '= End')],
    ['no operation that counts', text('- 0x10', '! 0x20 0x1')],
  ])('%s', async (_, bytes) => {
    expect(await refusal(bytes)).toMatchObject({ code: 'EMPTY', at: undefined });
  });

  it('operations made in memory are checked as well', () => {
    expect(() => traceFromOps(new Int32Array(0))).toThrow(expect.objectContaining({ code: 'EMPTY' }));
    expect(() => traceFromOps(Int32Array.of(1, ~0, ~0))).toThrow(
      expect.objectContaining({ code: 'DOUBLE_FREE' }),
    );
    expect(traceFromOps(Int32Array.of(1, ~0))).toMatchObject({ allocations: 1, frees: 1 });
  });
});

describe('gzip', () => {
  const packed = gzipSync(int32(...Array.from({ length: 1000 }, (_, i) => i * i)));
  const flipped = Buffer.from(packed);
  flipped[flipped.length - 6] ^= 1;

  it.each([
    ['cut off in its mark', packed.subarray(0, 2)],
    ['cut off in its header', packed.subarray(0, 5)],
    ['cut off in its data', packed.subarray(0, packed.length >> 1)],
    ['cut off in its checksum', packed.subarray(0, -3)],
    ['with a wrong checksum', flipped],
    ['followed by something else', Buffer.concat([packed, bare(1)])],
  ])('%s is an error', async (_, bytes) => {
    expect(await refusal(bytes)).toMatchObject({ code: 'GZIP', at: undefined });
  });

  it('unpacks no further than its limit', async () => {
    expect((await gunzip(gzipSync(new Uint8Array(1000)), 1000)).length).toBe(1000);
    await expect(gunzip(gzipSync(new Uint8Array(1001)), 1000)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('more than 2 GiB', () => {
  it('in memory are refused', async () => {
    expect(await refusal(new Uint8Array(2 ** 31 + 4))).toMatchObject({ code: 'TOO_LARGE' });
  });

  it('from a stream are not waited for', async () => {
    const part = new Uint8Array(2 ** 26);
    let delivered = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        delivered += part.length;
        yield part;
      }
    }
    await expect(readTraceStream(endless())).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(delivered).toBe(2 ** 31 + part.length);
  });
});

describe('arguments', () => {
  it.each([
    ['a string', 'data/sqlite.tr.gz'],
    ['nothing', undefined],
    ['an array', [1, 0, 0, 0]],
    ['another view', new Uint16Array(4)],
    ['an imitation', { [Symbol.toStringTag]: 'Uint8Array', length: 4 }],
  ])('%s is not a Uint8Array', async (_, value) => {
    await expect(readTrace(value as Uint8Array)).rejects.toThrow(TypeError);
  });

  it('options of a wrong type or value are refused', async () => {
    const bytes = int32(1, ~0);
    await expect(readTrace(bytes, { format: 7 as never })).rejects.toThrow(TypeError);
    await expect(readTrace(bytes, { format: 'gzip' as never })).rejects.toThrow(RangeError);
    await expect(readTrace(bytes, { strict: 'yes' as never })).rejects.toThrow(TypeError);
  });

  // Browsers neither decode nor unpack what lies in shared or resizable memory; the conformance suite runs there.
  it.each<[string, () => ArrayBufferLike]>([
    ['shared', () => new SharedArrayBuffer(4096)],
    ['resizable', () => Reflect.construct(ArrayBuffer, [4096, { maxByteLength: 8192 }])],
    ['WebAssembly', () => new WebAssembly.Memory({ initial: 1 }).buffer],
  ])('the bytes may lie in %s memory', async (_, make) => {
    for (const bytes of [
      int32(1, 2, ~0),
      gzipSync(int32(1, 2, ~0)),
      text('+ 0x10 0x1', '+ 0x20 0x2', '- 0x10'),
    ]) {
      const view = new Uint8Array(make(), 8, bytes.length);
      view.set(bytes);
      expect(await opsOf(view)).toEqual([1, 2, ~0]);
    }
  });

  it('the bytes may be of another realm', async () => {
    // The case realms: a test runner's sandbox, an iframe.
    const bytes = runInNewContext('Uint8Array.of(100, 0, 0, 0)') as Uint8Array;
    expect(bytes).not.toBeInstanceOf(Uint8Array);
    expect(await opsOf(bytes, { format: 'int32' })).toEqual([100]);
  });

  it('the bytes may change once the call has returned', async () => {
    const bytes = new Uint8Array(gzipSync(int32(1, 2, ~0)));
    const reading = opsOf(bytes);
    bytes.fill(0);
    expect(await reading).toEqual([1, 2, ~0]);
  });
});
