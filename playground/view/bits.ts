// The content of the "how it works" panel: the steps of the last operation, and the word of each step, bit by bit.

import { count, units } from '../format.ts';
import type { Step } from '../model/explain.ts';
import { unitsPerChild } from '../model/words.ts';
import { make } from './dom.ts';

const bit = (mask: number, child: number): number => (mask >>> child) & 1;
const binary = (mask: number): string =>
  (mask >>> 0).toString(2).padStart(32, '0').split('').reverse().join('');

/** Shows the texts of all steps, and the word of one of them. */
export class BitsView {
  readonly #list: HTMLElement;
  readonly #word: HTMLElement;
  #steps: readonly Step[] = [];

  constructor(list: HTMLElement, word: HTMLElement) {
    this.#list = list;
    this.#word = word;
  }

  /** Shows `steps`, and the word of the last one that changed a bit. If there are none, shows the text `instead`. */
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
    const { level, index: wordIndex, used, cont } = step.word;
    const span = unitsPerChild(level);
    const start = wordIndex * 32 * span;
    const caption = `Word ${count(wordIndex)} of level ${level}: units ${count(start)} to ${count(start + 32 * span - 1)}, ${units(span)} per child`;
    const label = `${caption}. used from child 0 on: ${binary(used)}. cont: ${binary(cont)}.`;
    this.#word.replaceChildren(
      make('p', { class: 'caption' }, caption),
      make(
        'div',
        { class: 'bits', role: 'img', 'aria-label': label },
        ...[0, 8, 16, 24].map((first) => group(step, first)),
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
  const forEachChild = (of: (child: number) => HTMLElement): HTMLElement[] =>
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
    ...forEachChild((child) => make('span', { class: 'number' }, String(child))),
    ...rows.flatMap(([name, mask, changed]) => [
      make('span', { class: 'name' }, name),
      ...forEachChild((child) =>
        make('span', { class: classes(child, bit(mask, child), changed) }, String(bit(mask, child))),
      ),
    ]),
  );
}
