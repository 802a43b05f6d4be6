// The message that something cannot be shown. It is an alert: it is read out as soon as it is there.

import { need } from '../view/dom.ts';

const place = need('problem', HTMLElement);

export function complain(text: string): void {
  need('problem-text', HTMLElement).textContent = text;
  place.hidden = false;
}

export function dismiss(): void {
  place.hidden = true;
}

need('dismiss', HTMLButtonElement).addEventListener('click', dismiss);
