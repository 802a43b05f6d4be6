// Numbers as the command writes them.

export { count, percent, plural } from '../base/readable.ts';

const PREFIXES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A number of bytes with three significant digits: 6.16 MiB. */
export function bytes(value: number): string {
  const { divisor, name } = byteScale(value);
  const scaled = value / divisor;
  return `${Number(scaled.toPrecision(scaled < 1000 ? 3 : 4))} ${name}`;
}

/** The binary multiple of a byte that suits numbers up to `max`: 1024 and "KiB", for example. */
export function byteScale(max: number): { readonly divisor: number; readonly name: string } {
  const step = Math.floor(Math.log2(Math.max(1, max)) / 10);
  return { divisor: 1024 ** step, name: PREFIXES[step] };
}
