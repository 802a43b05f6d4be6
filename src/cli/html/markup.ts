// HTML and SVG as text, in which no text from outside counts as markup.

import { printable } from '../../trace/printable.ts';

const SPECIAL = /[&<>"]/g;

/** `text` as content of an element or of a quoted attribute, with control characters as escapes. O(length). */
export function escapeText(text: string): string {
  return printable(text).replace(SPECIAL, (char) => `&#${char.charCodeAt(0)};`);
}

/** The attributes of an element, not escaped. */
export type Attributes = Readonly<Record<string, string | number>>;

/**
 * An element as markup. O(length).
 *
 * @param attributes - escaped here.
 * @param children - markup already: not escaped here.
 */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(String(value))}"`);
  return `<${name}${list.join('')}>${children.join('')}</${name}>`;
}
