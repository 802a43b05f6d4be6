// A timeline that is being watched: where it is to go, and how fast.

import { Operations, UNIT } from './operations.ts';
import { Timeline } from './timeline.ts';

/** Milliseconds of a frame that may go into running operations; the rest of the 16 is for drawing. */
const BUDGET = 8;

export class Session {
  readonly timeline: Timeline;
  /** Whether the operations are the reader's own: then a click on a block frees it. */
  byHand: boolean;
  isPlaying = false;
  #target = 0;
  /** Part of an operation that is due. */
  #due = 0;

  constructor(operations: Operations, capacity: number, byHand: boolean) {
    this.timeline = new Timeline(operations, capacity);
    this.byHand = byHand;
  }

  /** Some blocks to begin with, so that there is something to see. */
  static example(capacity: number): Session {
    const requests = [100, 20, 3, 200, 8, 1, 60].map(
      (units) => Math.max(1, Math.floor((units * capacity) / 1024)) * UNIT,
    );
    const session = new Session(new Operations(Int32Array.of(...requests, ~1, ~4)), capacity, true);
    session.seek(session.length);
    session.timeline.seek(session.length, Number.POSITIVE_INFINITY);
    return session;
  }

  get length(): number {
    return this.timeline.operations.length;
  }

  /** Whether a call of {@link tick} will do something. */
  get isMoving(): boolean {
    return this.isPlaying || this.#target !== this.timeline.position;
  }

  get target(): number {
    return this.#target;
  }

  /** Goes to a place, which takes some frames when it is far. */
  seek(position: number): void {
    this.#target = Math.max(0, Math.min(this.length, position));
    this.#due = 0;
  }

  /** Runs on for the `elapsed` milliseconds since the last frame, at `speed` operations a second. */
  tick(elapsed: number, speed: number): void {
    const { timeline } = this;
    if (this.isPlaying && timeline.position === this.#target) {
      this.#due += (Math.min(elapsed, 100) * speed) / 1000;
      // As fast as it goes is as far as the time of a frame allows.
      const step = speed === Number.POSITIVE_INFINITY ? this.length : Math.floor(this.#due);
      this.#due = Number.isFinite(this.#due) ? this.#due - step : 0;
      this.#target = Math.min(this.length, timeline.position + step);
      if (!timeline.seek(this.#target, BUDGET)) this.#target = timeline.position;
      if (timeline.position === this.length) this.isPlaying = false;
    } else timeline.seek(this.#target, BUDGET);
  }

  /** Allocates by hand, here and now. What would have come after is dropped. */
  alloc(units: number): number {
    const offset = this.timeline.alloc(units);
    this.#changed();
    return offset;
  }

  /** Frees the live block at `offset` by hand, likewise. */
  free(offset: number): void {
    this.timeline.free(offset);
    this.#changed();
  }

  #changed(): void {
    this.byHand = true;
    this.isPlaying = false;
    this.#target = this.timeline.position;
  }
}
