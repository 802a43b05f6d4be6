// Numbers as people read them, in the command's output and on the playground's page.

/** An integer with its thousands separated: 169,718. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A part, 0 to 1, as a percentage: 36.3 %. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

/** A number of things: "1 block", "2 blocks". */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
