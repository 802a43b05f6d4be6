// The "how it works" panel. It opens on demand, and then follows the last operation.

import type { App } from '../app.ts';
import { explain } from '../model/explain.ts';
import type { Last } from '../model/timeline.ts';
import { BitsView } from '../view/bits.ts';
import { need } from '../view/dom.ts';

export function bindHow(app: App): void {
  const toggle = need('how', HTMLButtonElement);
  const panel = need('how-panel', HTMLElement);
  const bits = new BitsView(need('steps', HTMLElement), need('word', HTMLElement));
  let shown: Last | undefined;

  const show = (): void => {
    const { last } = app.session.timeline;
    if (panel.hidden || (last === shown && last !== undefined)) return;
    shown = last;
    const isPassedOver = last !== undefined && last.offset < 0;
    bits.show(
      last === undefined ? [] : explain(last, app.state),
      isPassedOver
        ? 'There was no room: no bit has changed.'
        : 'No operation yet: allocate something, or step through a trace.',
    );
  };
  toggle.addEventListener('click', () => {
    panel.hidden = !panel.hidden;
    toggle.setAttribute('aria-expanded', String(!panel.hidden));
    shown = undefined;
    show();
  });
  app.add(show);
}
