// The message that a trace cannot be shown. It is an alert: screen readers announce it at once.

import { need } from '../view/dom.ts';

const box = need('problem', HTMLElement);

export function complain(text: string): void {
  need('problem-text', HTMLElement).textContent = text;
  box.hidden = false;
}

export function dismiss(): void {
  box.hidden = true;
}

need('dismiss', HTMLButtonElement).addEventListener('click', dismiss);
