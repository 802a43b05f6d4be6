// What the processes of a chaos test have noted, and what is wrong with it.

/** A block that was acknowledged. Times are microseconds. */
interface Acknowledged {
  readonly offset: number;
  readonly token: number;
  readonly units: number;
  readonly number: number;
  readonly began: number;
  readonly ended: number;
}

/** A call that was begun. */
export type Begun =
  | { readonly begin: 'alloc'; readonly key: string; readonly size: number }
  | { readonly begin: 'free'; readonly offset: number; readonly token: number; readonly began: number };

/** A line of a process. */
export type Line =
  | Begun
  | ({ readonly end: 'alloc'; readonly key: string; readonly replayed?: boolean } & Acknowledged)
  | { readonly end: 'free'; readonly token: number; readonly began: number; readonly ended: number }
  | { readonly error: string; readonly message: string };

/** The notes of all processes. */
export class ChaosHistory {
  readonly errors: string[] = [];
  acknowledged = 0;
  replayed = 0;
  readonly #allocs: Acknowledged[] = [];
  /** By token, when its free began. */
  readonly #frees = new Map<number, number>();

  /** Notes a line that is not the beginning of a call. */
  note(line: Exclude<Line, Begun>): void {
    if ('error' in line) this.errors.push(`${line.error}: ${line.message}`);
    else {
      this.acknowledged++;
      if (line.end === 'alloc') {
        if (line.replayed) this.replayed++;
        if (line.units > 0) this.#allocs.push(line);
      }
    }
  }

  /** Notes that a free began: from then on its holder does not rely on the block any more. */
  noteFree(token: number, began: number): void {
    if (!this.#frees.has(token)) this.#frees.set(token, began);
  }

  /** Blocks that were acknowledged and not freed. */
  held(): Map<number, Acknowledged> {
    return new Map(
      this.#allocs.filter(({ token }) => !this.#frees.has(token)).map((one) => [one.token, one]),
    );
  }

  /** How many times a unit was given to one while another held it. */
  overlaps(capacity: number): number {
    const changes: { time: number; token: number; alloc: Acknowledged; isFree: boolean }[] = [];
    const seen = new Set<number>();
    for (const alloc of this.#allocs) {
      const { token, ended } = alloc;
      if (seen.has(token)) continue;
      seen.add(token);
      changes.push({ time: ended, token, alloc, isFree: false });
      const freed = this.#frees.get(token);
      if (freed !== undefined) changes.push({ time: freed, token, alloc, isFree: true });
    }
    const holders = new Float64Array(capacity);
    let overlaps = 0;
    for (const { token, alloc, isFree } of changes.sort((a, b) => a.time - b.time)) {
      for (let unit = alloc.offset; unit < alloc.offset + alloc.units; unit++) {
        if (isFree && holders[unit] === token) holders[unit] = 0;
        else if (!isFree) {
          if (holders[unit] !== 0) overlaps++;
          holders[unit] = token;
        }
      }
    }
    return overlaps;
  }

  /** How many operations have a smaller number than one that had ended when they began. */
  orderViolations(): number {
    const byBegin = this.#allocs.toSorted((a, b) => a.began - b.began);
    const byEnd = this.#allocs.toSorted((a, b) => a.ended - b.ended);
    let highest = 0;
    let next = 0;
    let violations = 0;
    for (const { began, number } of byBegin) {
      for (; next < byEnd.length && byEnd[next].ended < began; next++)
        highest = Math.max(highest, byEnd[next].number);
      if (number <= highest) violations++;
    }
    return violations;
  }
}
