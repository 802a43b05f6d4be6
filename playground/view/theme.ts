// Light and dark: the system's preference, until the user chooses; and the style sheet's colours for the drawings.

/** A colour as red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** The colours that drawings take from the style sheet, which explains them. */
const NAMES = [
  'surface',
  'line',
  'text',
  'muted',
  'free',
  'split',
  'small',
  'medium',
  'large',
  'mark',
  'focus',
  'first-fit',
  'best-fit',
] as const;

export type Palette = Readonly<Record<(typeof NAMES)[number], Colour>>;

/** The colours of the allocators that are compared, in the order of the tracks of a timeline. */
export const TRACK_COLOURS = ['medium', 'small', 'large', 'first-fit', 'best-fit'] as const;

const KEY = 'buddy-playground-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? dark.matches : chosen === 'dark';
}

export function palette(): Palette {
  const probe = document.body.appendChild(document.createElement('span'));
  const colours = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
    return [name, [Number(r), Number(g), Number(b)]];
  });
  probe.remove();
  return Object.fromEntries(colours) as Palette;
}

export function css([r, g, b]: Colour): string {
  return `rgb(${r} ${g} ${b})`;
}

/** The colour between `a` and `b`, at `t` from 0 to 1. */
export function mix(a: Colour, b: Colour, t: number): Colour {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

/** Makes `button` switch between light and dark, and calls `onChange` whenever the colours may have changed. */
export function bindTheme(button: HTMLButtonElement, onChange: () => void): void {
  const { dataset } = document.documentElement;
  const show = (): void => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'} colours`);
    onChange();
  };
  const chosen = stored();
  if (chosen !== null) dataset.theme = chosen;
  button.addEventListener('click', () => {
    dataset.theme = isDark() ? 'light' : 'dark';
    store(dataset.theme);
    show();
  });
  dark.addEventListener('change', show);
  show();
}

// If the page may not use storage, the choice lasts as long as the page.
function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // See above.
  }
}
