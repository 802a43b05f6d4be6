// Recordings with an end that is cut off, or with lines that no trace holds: the rest is read, and they are counted.
// Cases: killed-program, refused-requests.

import { describe, expect, it } from 'vitest';
import { advise, readTrace, replay, type Trace } from '../../src/trace.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string): Promise<Trace> => readTrace(encode(text));

const blocks = Array.from(
  { length: 60_000 },
  (_, i) => `@ ./p:[0x1] + 0x${(4096 + 32 * i).toString(16)} 0x18\n`,
);
const whole = `= Start\n${blocks.join('')}`;

describe('a program that was killed', () => {
  it.each([
    '@ ./p:(OPENSSL_sk_free+25)[0x183',
    '@',
    '@ ./p:[0x1] +',
    '@ ./p:[0x1] + 0x5000',
    '@ ./p:[0x1] + 0x5000 0x',
    '= St',
    '-',
    '- 0x',
  ])('leaves a piece of a line: %s', async (piece) => {
    const trace = await read(whole + piece);
    expect(trace).toMatchObject({ allocations: 60_000, frees: 0, cutOffLines: 1 });
    const error = { code: 'LINE', at: 60_002 };
    await expect(readTrace(encode(whole + piece), { strict: true })).rejects.toMatchObject(error);
  });

  it('ends within a realloc', async () => {
    const trace = await read(`${whole}@ ./p:[0x2] < 0x1020\n`);
    expect(trace).toMatchObject({ allocations: 60_000, frees: 0, cutOffLines: 1 });
    expect(await read(`${whole}@ ./p:[0x2] < 0x1020\n@ ./p:[0x2] > 0x10`)).toMatchObject({
      allocations: 60_000,
      frees: 0,
      cutOffLines: 2,
    });
  });

  it('leaves a whole line without its end, which counts', async () => {
    expect(await read(`${whole}@ ./p:[0x2] - 0x1020`)).toMatchObject({ frees: 1, cutOffLines: 0 });
    await expect(readTrace(encode('+ 0x10 0x1\n- 0x10'), { strict: true })).rejects.toMatchObject({
      code: 'LINE',
      at: 2,
    });
  });

  it.each([
    ['a piece that is not the begin of a line', `${whole}[0x1] + 0x5000 0x18`, 60_002],
    ['a piece in the middle', `${whole}@ ./p:[0x\n${whole}`, 60_002],
    ['nothing but a piece', '@ ./p:[0x1', 1],
  ])('does not leave %s', async (_, text, at) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'LINE', at });
  });
});

describe('a request that no trace holds', () => {
  const huge = '0x80000000';
  it.each<[string, string[], number[], Partial<Trace>]>([
    [
      'and its free are left out',
      [`+ 0x20 ${huge}`, '- 0x20'],
      [],
      { oversizedRequests: 1, skippedFrees: 0 },
    ],
    ['may be as large as an address', ['+ 0x20 0xffffffffffffffff'], [], { oversizedRequests: 1 }],
    [
      'by a realloc frees the old block',
      ['< 0x10', `> 0x20 ${huge}`, '- 0x20'],
      [~0],
      { oversizedRequests: 1 },
    ],
    ['by a realloc in place, too', ['< 0x10', `> 0x10 ${huge}`, '- 0x10'], [~0], { oversizedRequests: 1 }],
    [
      'becomes one that it holds',
      [`+ 0x20 ${huge}`, '< 0x20', '> 0x20 0x8', '- 0x20'],
      [8, ~1],
      { oversizedRequests: 1, skippedFrees: 0 },
    ],
    ['shows a missing free', [`+ 0x10 ${huge}`], [~0], { oversizedRequests: 1, impliedFrees: 1 }],
    ['lacks its free', [`+ 0x20 ${huge}`, '+ 0x20 0x8'], [8], { oversizedRequests: 1, impliedFrees: 0 }],
  ])('%s', async (_, lines, ops, counts) => {
    const trace = await read(['+ 0x10 0x1', ...lines, ''].join('\n'));
    expect([...trace.ops]).toEqual([1, ...ops]);
    expect(trace).toMatchObject(counts);
  });
});

it('the counts reach every report', async () => {
  const trace = await read('- 0x1\n+ 0x10 0x8\n+ 0x10 0x8\n+ (nil) 0x9\n+ 0x20 0x80000000\n< 0x10\n@');
  const counts = {
    skippedFrees: 1,
    impliedFrees: 1,
    refusedRequests: 1,
    oversizedRequests: 1,
    cutOffLines: 2,
  };
  expect(trace).toMatchObject(counts);
  expect(replay(trace)).toMatchObject(counts);
  expect(advise(trace)).toMatchObject({ ...counts, format: 'mtrace', frees: 1 });
});

it.each([
  ['a line that is not one', '= Start\n+ 0x10 0x8\nx5555 0x8\n'],
  ['a realloc that another line interrupts', '= Start\n+ 0x10 0x8\n< 0x10\n+ 0x20 0x8\n> 0x30 0x8\n'],
])('%s in the middle hints at a second writer', async (_, text) => {
  await expect(read(text)).rejects.toThrow('(did a second program write here?)');
});
