// Addresses of mtrace that come and go, in any number. Cases: mtrace-map-churn, many-live-mtrace.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AddressTable, NO_BLOCK } from '../../src/trace/formats/addresses.ts';
import { readTrace } from '../../src/trace.ts';

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

it('every free finds the block that was last allocated at its address', async () => {
  // Few addresses, so that they come back, and some of them alike but for one byte.
  const addresses = fc
    .array(fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 56n - 1n }), fc.nat(7)), { minLength: 1, maxLength: 200 })
    .map((list) => list.flatMap(([address, byte]) => [address, address ^ (1n << BigInt(8 * byte))]));
  await fc.assert(
    fc.asyncProperty(
      addresses,
      fc.array(fc.nat(), { maxLength: 3000, size: 'max' }),
      async (known, picks) => {
        const live = new Map<bigint, number>();
        const expected = [1];
        const lines = ['+ 0xffffffffffffffff 0x1'];
        let id = 1;
        for (const pick of picks) {
          const address = known[pick % known.length];
          const block = live.get(address);
          lines.push(block === undefined ? `+ ${hex(address)} 0x8` : `- ${hex(address)}`);
          expected.push(block === undefined ? 8 : ~block);
          if (block === undefined) live.set(address, id++);
          else live.delete(address);
        }
        const trace = await readTrace(new TextEncoder().encode(`${lines.join('\n')}\n`));
        expect([...trace.ops]).toEqual(expected);
      },
    ),
    { numRuns: 50 },
  );
});

it('one address that comes and goes costs no more than many', async () => {
  const seconds = async (address: (i: number) => number): Promise<number> => {
    const lines: string[] = [];
    for (let i = 0; i < 100_000; i++) lines.push(`+ ${hex(0x558d72000000 + 32 * i)} 0x18`);
    for (let i = 0; i < 50_000; i++) lines.push(`+ ${hex(address(i))} 0x18`, `- ${hex(address(i))}`);
    const bytes = new TextEncoder().encode(lines.join('\n'));
    const begin = performance.now();
    await readTrace(bytes);
    return performance.now() - begin;
  };
  await seconds((i) => i); // Compiles.
  const many = await seconds((i) => 0x558d82000000 + 32 * i);
  // With V8's Map it was thirty times as much, and rose with the number of lines.
  expect(await seconds(() => 0x558d82000000)).toBeLessThan(8 * many);
});

it('more than 2^24 blocks may live', () => {
  const table = new AddressTable();
  const count = 2 ** 24 + 1000;
  for (let i = 0; i < count; i++) table.set(16 * i, 0x5555, i);
  for (const i of [0, 1, 2 ** 24, count - 1]) {
    expect(table.get(16 * i, 0x5555)).toBe(i);
    table.delete(16 * i, 0x5555);
    expect(table.get(16 * i, 0x5555)).toBe(NO_BLOCK);
  }
});
