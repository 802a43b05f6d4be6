// The error of a check that finds a mistake of the allocator.

export class Violation extends Error {
  /** The schedule that led there, one line per step. */
  schedule: readonly string[] = [];

  constructor(message: string) {
    super(message);
    this.name = 'Violation';
  }
}

/** The violation that `run` throws, with the schedule that shows it; undefined if it throws none. */
export function violationOf(run: () => unknown): Violation | undefined {
  try {
    run();
  } catch (violation) {
    if (violation instanceof Violation) return violation;
    throw violation;
  }
  return undefined;
}

/** Runs an exploration that must find nothing. Throws an error with the violation and its schedule if there is one. */
export function expectSound(run: () => unknown): void {
  const violation = violationOf(run);
  if (violation) throw new Error(`${violation.message}\n${violation.schedule.join('\n')}`);
}
