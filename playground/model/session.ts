// A timeline that is being watched: the position that it moves to, and how fast.

import { Operations, UNIT } from './operations.ts';
import { Timeline } from './timeline.ts';

/** Milliseconds of a frame for running operations; the rest of its 16 ms is for drawing. */
const BUDGET = 8;

export class Session {
  readonly timeline: Timeline;
  /** Whether the operations are made by hand. If so, a click on a block frees it. */
  byHand: boolean;
  isPlaying = false;
  #target = 0;
  /** Operations that are due, a fraction: `tick` runs whole ones. */
  #due = 0;

  constructor(operations: Operations, capacity: number, byHand: boolean) {
    this.timeline = new Timeline(operations, capacity);
    this.byHand = byHand;
  }

  /** A session with some blocks, so that the page does not start empty. */
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

  /** Sets the position to move to. If it is far, the move takes several frames. */
  seek(position: number): void {
    this.#target = Math.max(0, Math.min(this.length, position));
    this.#due = 0;
  }

  /** Runs the operations of the `elapsed` milliseconds since the last frame, at `speed` operations per second. */
  tick(elapsed: number, speed: number): void {
    const { timeline } = this;
    if (this.isPlaying && timeline.position === this.#target) {
      this.#due += (Math.min(elapsed, 100) * speed) / 1000;
      // At infinite speed, the time of a frame is the only limit.
      const step = speed === Number.POSITIVE_INFINITY ? this.length : Math.floor(this.#due);
      this.#due = Number.isFinite(this.#due) ? this.#due - step : 0;
      this.#target = Math.min(this.length, timeline.position + step);
      if (!timeline.seek(this.#target, BUDGET)) this.#target = timeline.position;
      if (timeline.position === this.length) this.isPlaying = false;
    } else timeline.seek(this.#target, BUDGET);
  }

  /** Allocates by hand at the present position. The operations after it are dropped. */
  alloc(units: number): number {
    const offset = this.timeline.alloc(units);
    this.#changed();
    return offset;
  }

  /** Frees the live block at `offset` by hand, as {@link alloc}. */
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
