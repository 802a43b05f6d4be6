// CIDR prefixes out of a pool: which text is a prefix, and what each call does.

import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuddyAllocator, Prefixes } from '../../src/prefixes.ts';
import { codeOf } from '../gpu/code-of.ts';

const pool = (options: { pool?: string; longest?: number } = {}) =>
  new Prefixes({ pool: '10.0.0.0/8', longest: 28, ...options });

describe('a prefix', () => {
  it.each([
    ['10.0.0.0/8', 28, '10.0.0.0/8'],
    ['0.0.0.0/0', 30, '0.0.0.0/0'],
    ['192.168.7.9/32', 32, '192.168.7.9/32'],
    ['2001:DB8:0:0:0:0:0:0/32', 48, '2001:db8::/32'],
    ['2001:0db8::0001:0:0:0/80', 80, '2001:db8:0:0:1::/80'],
    ['::/0', 30, '::/0'],
    ['::1/128', 128, '::1/128'],
    ['::102:304/128', 128, '::102:304/128'],
    ['::1.2.3.4/128', 128, '::102:304/128'],
    ['::ffff:10.0.0.0/104', 128, '::ffff:a00:0/104'],
  ])('%s is understood', (text, longest, spelled) => {
    expect(pool({ pool: text, longest }).pool).toBe(spelled);
  });

  it.each([
    ['10.0.0.0'],
    ['10.0.0.0/'],
    ['10.0.0.0/33'],
    ['10.0.0.0/-1'],
    ['10.0.0.0/+8'],
    ['10.0.0.0/08'],
    ['10.0.0.0/8.0'],
    ['10.0.0.0/1e1'],
    ['10.0.0.0/8/8'],
    [' 10.0.0.0/8'],
    ['10.0.0.0/8 '],
    ['10.0.0.0/8\n'],
    ['10.0.0/8'],
    ['10/8'],
    ['010.0.0.0/8'],
    ['0x0a.0.0.0/8'],
    ['10.0.0.256/32'],
    ['167772160/8'],
    ['2001:db8::/129'],
    ['2001:db8/32'],
    ['1::2::3/128'],
    ['12345::/16'],
    ['fe80::1%eth0/128'],
    ['fe80::%0/64'],
    ['::ffff:010.0.0.0/104'],
    [''],
    ['/8'],
    ['all/8'],
  ])('%o is not one', (text) => {
    expect(() => pool({ pool: text })).toThrow(/is not a prefix/);
    expect(() => pool().reserve(text)).toThrow(RangeError);
  });

  it.each([
    ['10.0.0.1/8', '10.0.0.0/8'],
    ['10.0.3.9/24', '10.0.3.0/24'],
    ['2001:db8::1/64', '2001:db8::/64'],
    ['255.255.255.255/0', '0.0.0.0/0'],
  ])('with host bits is refused, and the right one is said: %s', (text, meant) => {
    expect(() => pool({ pool: text })).toThrow(
      new RangeError(`${text} has host bits set; the prefix that contains it is ${meant}`),
    );
  });

  it.each([null, undefined, 10, 10n, {}, ['10.0.0.0/8']])('%o is not text', (value) => {
    const text = value as string;
    expect(() => new Prefixes({ pool: text, longest: 28 })).toThrow(TypeError);
    expect(() => pool().reserve(text)).toThrow(TypeError);
    expect(() => pool().free(text)).toThrow(TypeError);
    expect(() => pool().at(text)).toThrow(TypeError);
  });

  it('is spelled as the URL standard spells addresses', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        // Dotted endings are spelled in hexadecimal there, too.
        const spelled = new URL(`http://[${address}]`).hostname.slice(1, -1);
        expect(pool({ pool: `${address}/128`, longest: 128 }).pool).toBe(`${spelled}/128`);
      }),
      { numRuns: 1000 },
    );
  });

  it('is text that Node takes for an address, too, and no other', () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{1,12}$/));
    fc.assert(
      fc.property(text, (address) => {
        const bits = isIPv4(address) ? 32 : 128;
        const taken = codeOf(() => pool({ pool: `${address}/${bits}`, longest: bits })) === 'none';
        expect(taken).toBe(isIPv4(address) || isIPv6(address));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the options', () => {
  it.each([
    ['10.0.0.0/8', 7],
    ['10.0.0.0/8', 33],
    ['10.0.0.0/8', 28.5],
    ['10.0.0.0/8', Number.NaN],
    ['0.0.0.0/0', 31],
    ['2001:db8::/32', 63],
  ])('of %s: %d is not a length', (text, longest) => {
    expect(() => pool({ pool: text, longest })).toThrow(RangeError);
  });

  it('are checked for their types', () => {
    expect(() => new Prefixes(null as unknown as { pool: string; longest: number })).toThrow(TypeError);
    expect(() => pool({ longest: '28' as unknown as number })).toThrow(TypeError);
  });

  it('take an arena of the right capacity, with what is in it', () => {
    const first = new Prefixes({ pool: '10.0.0.0/24', longest: 32 });
    first.reserve('10.0.0.8/29');
    const arena = BuddyAllocator.attach(first.arena.state.slice(0));
    const second = new Prefixes({ pool: '10.0.0.0/24', longest: 32, arena });
    expect(second.list()).toEqual(['10.0.0.8/29']);
    expect(() => new Prefixes({ pool: '10.0.0.0/24', longest: 31, arena })).toThrow(
      new RangeError('the arena of this pool must have 128 units, not 256'),
    );
  });

  it('can be read', () => {
    const { pool: text, longest } = pool();
    expect([text, longest]).toEqual(['10.0.0.0/8', 28]);
  });
});

describe('a pool', () => {
  it('gives the lowest prefixes, and joins what is freed', () => {
    const prefixes = pool();
    expect([24, 24, 16, 28].map((length) => prefixes.alloc(length))).toEqual([
      '10.0.0.0/24',
      '10.0.1.0/24',
      '10.1.0.0/16',
      '10.0.2.0/28',
    ]);
    expect(prefixes.largestFree).toBe(9);
    for (const prefix of prefixes.list()) prefixes.free(prefix);
    expect(prefixes.largestFree).toBe(8);
    expect(prefixes.alloc(8)).toBe('10.0.0.0/8');
    expect(prefixes.alloc(28)).toBeNull();
    expect(prefixes.largestFree).toBeNull();
  });

  it('has lengths from its own to the longest', () => {
    for (const length of [7, 29, 0, -1, 28.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
      expect(() => pool().alloc(length)).toThrow(RangeError);
    }
    expect(() => pool().alloc('24' as unknown as number)).toThrow(TypeError);
    expect(() => pool().alloc(24n as unknown as number)).toThrow(TypeError);
  });

  it('reserves just what it is told', () => {
    const prefixes = pool();
    expect(prefixes.reserve('10.1.0.0/16')).toBe(true);
    expect(prefixes.reserve('10.1.0.0/16')).toBe(false);
    expect(prefixes.reserve('10.0.0.0/15')).toBe(false);
    expect(prefixes.reserve('10.1.3.0/24')).toBe(false);
    expect(() => prefixes.reserve('11.0.0.0/16')).toThrow('11.0.0.0/16 is not in the pool 10.0.0.0/8');
    expect(() => prefixes.reserve('0.0.0.0/0')).toThrow(RangeError);
    expect(() => prefixes.reserve('::a00:0/104')).toThrow(RangeError);
    expect(() => prefixes.reserve('10.0.0.0/29')).toThrow(RangeError);
    expect(prefixes.list()).toEqual(['10.1.0.0/16']);
  });

  it('finds the prefix of an address', () => {
    const prefixes = pool();
    prefixes.reserve('10.1.0.0/16');
    expect(prefixes.at('10.1.255.255')).toBe('10.1.0.0/16');
    expect(prefixes.at('10.0.255.255')).toBeNull();
    expect(() => prefixes.at('11.0.0.0')).toThrow('11.0.0.0/32 is not in the pool 10.0.0.0/8');
    expect(() => prefixes.at('::1')).toThrow(RangeError);
    expect(() => prefixes.at('10.1.0.0/16')).toThrow('"10.1.0.0/16" is not an IP address');
    expect(() => prefixes.at('10.1.0.0%1')).toThrow(RangeError);
  });

  it('frees whole prefixes only', () => {
    const prefixes = pool();
    prefixes.reserve('10.1.0.0/16');
    expect(codeOf(() => prefixes.free('10.1.0.0/17'))).toBe('INTERIOR');
    expect(codeOf(() => prefixes.free('10.1.128.0/17'))).toBe('INTERIOR');
    expect(codeOf(() => prefixes.free('10.0.0.0/15'))).toBe('NOT_ALLOCATED');
    expect(codeOf(() => prefixes.free('10.2.0.0/16'))).toBe('NOT_ALLOCATED');
    expect(codeOf(() => prefixes.free('10.0.0.0/8'))).toBe('NOT_ALLOCATED');
    expect(prefixes.list()).toEqual(['10.1.0.0/16']);
    prefixes.free('10.1.0.0/16');
    expect(codeOf(() => prefixes.free('10.1.0.0/16'))).toBe('NOT_ALLOCATED');
  });

  it('takes over what is in use, once', () => {
    const prefixes = pool();
    const used = [
      '10.0.0.5',
      '10.0.0.6',
      '10.3.0.0/16',
      '10.3.7.0/24',
      '10.3.7.0/30',
      '10.0.1.4/30',
      '10.0.0.0/28',
    ];
    expect(prefixes.reserveAll(used)).toEqual(['10.0.0.0/28', '10.0.1.0/28', '10.3.0.0/16']);
    expect(prefixes.list()).toEqual(['10.0.0.0/28', '10.0.1.0/28', '10.3.0.0/16']);
    expect(prefixes.reserveAll(['10.0.2.0/24', '10.3.9.9', '10.9.0.0/16'])).toBeNull();
    expect(() => prefixes.reserveAll(['10.7.0.0/16', '11.0.0.0/16'])).toThrow(RangeError);
    expect(() => prefixes.reserveAll(['10.7.0.0/16', '10.7.0.1/16'])).toThrow(RangeError);
    expect(prefixes.list()).toHaveLength(3);
    expect(prefixes.reserveAll([])).toEqual([]);
  });

  it('of IPv6 has any 30 bits of an address', () => {
    const prefixes = new Prefixes({ pool: '2001:db8:ffff::/48', longest: 64 });
    expect(prefixes.alloc(64)).toBe('2001:db8:ffff::/64');
    expect(prefixes.alloc(56)).toBe('2001:db8:ffff:100::/56');
    expect(prefixes.reserve('2001:db8:ffff:ffff::/64')).toBe(true);
    expect(prefixes.at('2001:db8:ffff:ffff:1:2:3:4')).toBe('2001:db8:ffff:ffff::/64');
    const last = new Prefixes({ pool: 'ffff:ffff:ffff:ffff:ffff:ffff:c000::/98', longest: 128 });
    expect(last.reserve('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128')).toBe(true);
    expect(last.list()).toEqual(['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128']);
  });
});

describe('any sequence of calls', () => {
  /** A prefix of a pool as its bits after those of the pool. */
  const overlaps = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);

  it('gives what a list of bit strings gives', () => {
    const DEPTH = 5;
    const call = fc.record({
      kind: fc.constantFrom('alloc', 'alloc', 'reserve', 'free', 'drop'),
      bits: fc.stringMatching(/^[01]{0,5}$/),
      which: fc.nat(30),
    });
    const base = fc.constantFrom(['10.32.0.0/11', 32n, 4], ['2001:db8:40::/43', 128n, 6]) as fc.Arbitrary<
      [string, bigint, 4 | 6]
    >;
    fc.assert(
      fc.property(base, fc.array(call, { maxLength: 60 }), ([text, width, version], calls) => {
        const length = Number(text.split('/')[1]);
        const prefixes = new Prefixes({ pool: text, longest: length + DEPTH });
        const textOf = (bits: string): string => {
          const first = version === 4 ? BigInt(0x0a200000) : 0x20010db8004000000000000000000000n;
          const number = first | (BigInt(`0b${bits || '0'}`) << (width - BigInt(length + bits.length)));
          if (version === 4) {
            const bytes = [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n));
            return `${bytes.join('.')}/${length + bits.length}`;
          }
          const groups = Array.from({ length: 8 }, (_, i) =>
            ((number >> (112n - 16n * BigInt(i))) & 0xffffn).toString(16),
          );
          return `${new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)}/${length + bits.length}`;
        };
        const live: string[] = [];
        const isFree = (bits: string) => !live.some((one) => overlaps(one, bits));
        for (const { kind, bits, which } of calls) {
          if (kind === 'alloc') {
            const all = Array.from({ length: 2 ** bits.length }, (_, i) =>
              bits.length === 0 ? '' : i.toString(2).padStart(bits.length, '0'),
            );
            const found = all.find(isFree);
            expect(prefixes.alloc(length + bits.length)).toBe(found === undefined ? null : textOf(found));
            if (found !== undefined) live.push(found);
          } else if (kind === 'reserve') {
            expect(prefixes.reserve(textOf(bits))).toBe(isFree(bits));
            if (isFree(bits)) live.push(bits);
          } else if (kind === 'free') {
            const holder = live.find((one) => bits.startsWith(one));
            const expected = live.includes(bits)
              ? 'none'
              : holder === undefined
                ? 'NOT_ALLOCATED'
                : 'INTERIOR';
            expect(codeOf(() => prefixes.free(textOf(bits)))).toBe(expected);
            if (expected === 'none') live.splice(live.indexOf(bits), 1);
          } else if (live.length > 0) {
            const [one] = live.splice(which % live.length, 1);
            prefixes.free(textOf(one));
          }
          expect(prefixes.list()).toEqual(live.toSorted().map(textOf));
          const free = [0, 1, 2, 3, 4, 5].find((size) =>
            Array.from({ length: 2 ** size }, (_, i) =>
              size === 0 ? '' : i.toString(2).padStart(size, '0'),
            ).some(isFree),
          );
          expect(prefixes.largestFree).toBe(free === undefined ? null : length + free);
        }
      }),
      { numRuns: 200 },
    );
  });
});
