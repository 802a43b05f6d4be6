// The controls for allocating by hand.

import type { App } from '../app.ts';
import { Operations } from '../model/operations.ts';
import { Session } from '../model/session.ts';
import { make, need } from '../view/dom.ts';

const PRESETS = [1, 3, 8, 20, 100, 500];

export function bindByHand(app: App): void {
  const form = need('allocate', HTMLFormElement);
  const size = need('size', HTMLInputElement);

  const allocate = (units: number): void => {
    app.edit((session) => {
      const offset = session.alloc(units);
      if (offset >= 0) app.viewport.reveal(offset);
    });
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    allocate(size.valueAsNumber);
  });
  need('presets', HTMLElement).append(
    ...PRESETS.map((units) => {
      const button = make(
        'button',
        { type: 'button', 'aria-label': `Allocate ${units} units` },
        String(units),
      );
      button.addEventListener('click', () => allocate(units));
      return button;
    }),
  );
  need('clear', HTMLButtonElement).addEventListener('click', () => {
    app.open(new Session(new Operations(), app.viewport.capacity, true), '');
  });
  app.add(({ viewport }) => {
    size.max = String(viewport.capacity);
  });
}
