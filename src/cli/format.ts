// Numbers for people.

const PREFIXES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** An integer with thousands separated: 169,718. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number of bytes with three significant digits: 6.16 MiB. */
export function bytes(value: number): string {
  const { divisor, name } = byteScale(value);
  const scaled = value / divisor;
  return `${Number(scaled.toPrecision(scaled < 1000 ? 3 : 4))} ${name}`;
}

/** The binary multiple of a byte that suits numbers up to `max`. */
export function byteScale(max: number): { readonly divisor: number; readonly name: string } {
  const step = Math.floor(Math.log2(Math.max(1, max)) / 10);
  return { divisor: 1024 ** step, name: PREFIXES[step] };
}

/** A part of one as a percentage: 36.3 %. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

/** "1 block", "2 blocks". */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
