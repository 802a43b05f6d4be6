// The axes of a plot: from 0 to a largest value, with ticks at round values.

/** A value with its name beside the axis. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** One direction of a plot. Its values begin at 0. */
export interface Axis {
  /** The name of the values, e.g. "↑ MiB". */
  readonly label: string;
  /** The value at the end of the axis, above 0. */
  readonly max: number;
  readonly ticks: readonly Tick[];
  /** Whether a line crosses the plot at every tick. Default false. */
  readonly grid?: boolean;
}

/** The options of an axis of numbers. All flags are false by default. */
export interface LinearOptions {
  readonly label: string;
  /** The largest value to show, at least 0. An axis for 0 alone ends at 1. */
  readonly max: number;
  readonly grid?: boolean;
  /** Whether all values are integers, and so all ticks. */
  readonly whole?: boolean;
  /** Whether the axis ends with a tick: the first one not below `max`. */
  readonly nice?: boolean;
  /** Whether thousands and millions have letters: 50K. */
  readonly compact?: boolean;
}

const ABOUT_TICKS = 5;

/**
 * An axis of numbers.
 *
 * @returns the axis with 4 to 9 ticks, at the multiples of 1, 2 or 5 times a power of ten. Where `whole`, it has at
 *   least 2 ticks.
 */
export function linear(options: LinearOptions): Axis {
  const { label, grid = false, whole = false, nice = false, compact = false } = options;
  const max = options.max || 1;
  const { factor, exponent } = stepNear(max / ABOUT_TICKS, whole);
  const tick = (i: number): number => i * factor * 10 ** exponent;
  const last = nice ? Math.ceil(max / tick(1)) : Math.floor(max / tick(1));
  const digits = Math.max(0, -exponent);
  const { format } = new Intl.NumberFormat(
    'en-US',
    compact ? { notation: 'compact' } : { minimumFractionDigits: digits, maximumFractionDigits: digits },
  );
  const ticks = Array.from({ length: last + 1 }, (_, i) => ({ value: tick(i), label: format(tick(i)) }));
  return { label, grid, max: nice ? tick(last) : max, ticks };
}

/** The step of ticks nearest to `rough`: factor * 10^exponent with a factor of 1, 2 or 5; at least 1 where `whole`. */
function stepNear(rough: number, whole: boolean): { factor: number; exponent: number } {
  if (whole && rough < 1) return { factor: 1, exponent: 0 };
  const exponent = Math.floor(Math.log10(rough));
  const rest = rough / 10 ** exponent;
  // Two steps meet at their geometric mean.
  if (rest < Math.sqrt(2)) return { factor: 1, exponent };
  if (rest < Math.sqrt(10)) return { factor: 2, exponent };
  if (rest < Math.sqrt(50)) return { factor: 5, exponent };
  return { factor: 1, exponent: exponent + 1 };
}
