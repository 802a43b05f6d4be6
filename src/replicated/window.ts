// The last records that were applied: what a new record may refer to, and what it must not repeat.
//
// A record claims a number and the hash that its client had there. Only claims inside the window are accepted. A record that is
// appended twice comes after its own claim both times, so if the second one's claim is still inside, so is the first one: every
// repetition is seen.

import { Fifo } from './fifo.ts';

/** Operations that the window reaches back. */
const REACH = 2 ** 14;

/** A record that was applied: its id, and the number and the hash after it. */
export type Mark = readonly [number: number, hash: number, id: string];

/** The marks of the last records, by number and by id. */
export class Window {
  readonly #marks = new Fifo<Mark>();
  readonly #ids = new Set<string>();

  constructor(marks: readonly Mark[]) {
    for (const mark of marks) this.add(mark);
  }

  /** Whether a record of this id was applied. O(1). */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * What to make of the claim of a client to have had `hash` at `number`: `stale` if that is out of reach, `contradicted` if
   * its history is another than that of this window. O(log records).
   */
  judge(number: number, hash: number): 'true' | 'stale' | 'contradicted' {
    if (number < (this.#marks.at(0) as Mark)[0]) return 'stale';
    return this.#hashAt(number) === hash ? 'true' : 'contradicted';
  }

  /** The hash at `number`; undefined if no record in the window ends there. */
  #hashAt(number: number): number | undefined {
    let low = 0;
    let high = this.#marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#marks.at(middle) as Mark)[0] < number) low = middle + 1;
      else high = middle;
    }
    const mark = this.#marks.at(low);
    return mark?.[0] === number ? mark[1] : undefined;
  }

  /** Adds the mark of the newest record, and drops those that are out of reach. */
  add(mark: Mark): void {
    this.#marks.push(mark);
    this.#ids.add(mark[2]);
    while ((this.#marks.at(0) as Mark)[0] < mark[0] - REACH)
      this.#ids.delete((this.#marks.shift() as Mark)[2]);
  }

  /** All marks, oldest first. */
  marks(): Mark[] {
    return this.#marks.toArray();
  }
}
