// The "how it works" panel: the steps of the last operation, and the word that each is about, bit by bit.

import type { Step } from '../model/explain.ts';
import { spanOf } from '../model/words.ts';
import { make } from './dom.ts';
import { count, units } from './format.ts';

const bit = (mask: number, child: number): number => (mask >>> child) & 1;
const binary = (mask: number): string =>
  (mask >>> 0).toString(2).padStart(32, '0').split('').reverse().join('');

/** Shows steps, one at a time; all of their texts are there to be read. */
export class BitsView {
  readonly #list: HTMLElement;
  readonly #word: HTMLElement;
  #steps: readonly Step[] = [];

  constructor(list: HTMLElement, word: HTMLElement) {
    this.#list = list;
    this.#word = word;
  }

  /** Shows the last of `steps` that changed a bit; without any steps, `instead`. */
  show(steps: readonly Step[], instead: string): void {
    this.#steps = steps;
    this.#list.replaceChildren(
      ...steps.map((step, i) => {
        const button = make(
          'button',
          { type: 'button' },
          make('strong', {}, step.title),
          make('span', {}, step.text),
        );
        button.addEventListener('click', () => this.#select(i));
        return make('li', {}, button);
      }),
    );
    const changing = steps.findLastIndex((step) => (step.usedChanged | step.contChanged) !== 0);
    if (steps.length > 0) this.#select(Math.max(0, changing));
    else this.#word.replaceChildren(make('p', { class: 'muted' }, instead));
  }

  #select(index: number): void {
    const step = this.#steps[index];
    [...this.#list.querySelectorAll('button')].forEach((button, i) => {
      if (i === index) button.setAttribute('aria-current', 'step');
      else button.removeAttribute('aria-current');
    });
    const { level, index: number, used, cont } = step.word;
    const span = spanOf(level);
    const caption = `Word ${count(number)} of level ${level}: units ${count(number * 32 * span)} to ${count((number + 1) * 32 * span - 1)}, ${units(span)} a child`;
    const label = `${caption}. used from child 0 on: ${binary(used)}. cont: ${binary(cont)}.`;
    this.#word.replaceChildren(
      make('p', { class: 'caption' }, caption),
      make(
        'div',
        { class: 'bits', role: 'img', 'aria-label': label },
        ...[0, 8, 16, 24].map((at) => group(step, at)),
      ),
    );
  }
}

/** Eight children: their numbers, and two or three rows of bits. */
function group(step: Step, first: number): HTMLElement {
  const { word, usedChanged, contChanged, marked, candidates } = step;
  const rows: [name: string, mask: number, changed: number][] = [
    ['used', word.used, usedChanged],
    ['cont', word.cont, contChanged],
  ];
  if (candidates !== undefined) rows.push(['fits', candidates, 0]);
  const cells = (of: (child: number) => HTMLElement): HTMLElement[] =>
    Array.from({ length: 8 }, (_, i) => of(first + i));
  const classes = (child: number, value: number, changed: number): string =>
    [
      'bit',
      value === 1 && 'one',
      bit(changed, child) === 1 && 'changed',
      bit(marked, child) === 1 && 'marked',
    ]
      .filter(Boolean)
      .join(' ');
  return make(
    'div',
    { class: 'group' },
    make('span', { class: 'name' }, 'child'),
    ...cells((child) => make('span', { class: 'number' }, String(child))),
    ...rows.flatMap(([name, mask, changed]) => [
      make('span', { class: 'name' }, name),
      ...cells((child) =>
        make('span', { class: classes(child, bit(mask, child), changed) }, String(bit(mask, child))),
      ),
    ]),
  );
}
