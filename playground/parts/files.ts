// Opens a file of the user's own: chosen in a dialog, or dropped anywhere on the page.

import { need } from '../view/dom.ts';

/** Calls `open` with every file that the user chooses or drops. */
export function bindFiles(open: (file: File) => void): void {
  const input = need('file', HTMLInputElement);
  need('open', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const [chosen] = input.files ?? [];
    if (chosen !== undefined) open(chosen);
    input.value = ''; // so that the same file can be chosen again
  });

  const { classList } = document.body;
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    classList.remove('dropping');
    const [file] = event.dataTransfer?.files ?? [];
    if (file !== undefined) open(file);
  });
}
