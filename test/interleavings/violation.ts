// What a check throws when the allocator has done something wrong.

export class Violation extends Error {
  /** The schedule that led there, a line a step. */
  schedule: readonly string[] = [];

  constructor(message: string) {
    super(message);
    this.name = 'Violation';
  }
}
