// The controls for running operations: play, pause, step, speed, and a slider that goes to any operation.

import type { App } from '../app.ts';
import { count } from '../format.ts';
import { make, need } from '../view/dom.ts';

/** Operations per second. */
const SPEEDS = [2, 20, 100, 1000, 10_000, 100_000, Number.POSITIVE_INFINITY];

/** The speed at which `operations` operations take about half a minute. */
export function speedFor(operations: number): number {
  return SPEEDS.find((speed) => speed * 30 >= operations) ?? 100_000;
}

export function bindTransport(app: App): void {
  const play = need('play', HTMLButtonElement);
  const scrub = need('scrub', HTMLInputElement);
  const position = need('position', HTMLOutputElement);
  const speed = need('speed', HTMLSelectElement);

  speed.append(
    ...SPEEDS.map((n) =>
      make(
        'option',
        { value: String(n) },
        Number.isFinite(n) ? `${count(n)} per second` : 'as fast as possible',
      ),
    ),
  );
  speed.addEventListener('change', () => {
    app.speed = Number(speed.value);
  });

  const seek = (target: number): void => {
    app.session.isPlaying = false;
    app.session.seek(target);
    app.wake();
  };
  play.addEventListener('click', () => {
    const { session } = app;
    if (session.isPlaying) {
      session.isPlaying = false;
      session.seek(session.timeline.position);
    } else {
      if (session.timeline.position === session.length) session.seek(0);
      session.isPlaying = true;
      app.say('Playing.');
    }
    app.wake();
  });
  const buttons: Record<string, () => number> = {
    start: () => 0,
    back: () => app.session.target - 1,
    step: () => app.session.target + 1,
  };
  for (const [id, target] of Object.entries(buttons)) {
    need(id, HTMLButtonElement).addEventListener('click', () => seek(target()));
  }
  scrub.addEventListener('input', () => seek(scrub.valueAsNumber));

  app.add(({ session, speed: chosen }) => {
    const { timeline, length, isPlaying } = session;
    speed.value = String(chosen);
    const text = `${count(timeline.position)} of ${count(length)}`;
    play.textContent = isPlaying ? 'Pause' : 'Play';
    scrub.max = String(length);
    scrub.value = String(isPlaying ? timeline.position : session.target);
    scrub.setAttribute('aria-valuetext', `operation ${text}`);
    position.textContent = text;
  });
}
