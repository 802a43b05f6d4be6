// The error of a check that finds a mistake of the allocator.

export class Violation extends Error {
  /** The schedule that led there, one line per step. */
  schedule: readonly string[] = [];

  constructor(message: string) {
    super(message);
    this.name = 'Violation';
  }
}
