// Reading the pages that the project writes: a strict subset of HTML, in which a mistake of the writer is an error.

/** An element of a page. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
}

// In this order: a doctype, an end tag, a start tag, text. Attributes are quoted, and `<` begins tags only.
const TOKEN =
  /<!doctype [a-z]+>|<\/(?<end>\w+)>|<(?<start>\w+)(?<list>(?:\s+[\w:-]+="[^"<>]*")*)>|(?<text>[^<>]+)/y;
const ATTRIBUTE = /(?<key>[\w:-]+)="(?<value>[^"]*)"/g;
const VOID = new Set(['br', 'meta']);

/**
 * Reads a page.
 *
 * @returns the element that holds everything.
 * @throws {Error} if a tag is malformed, or an element is not closed where it must be.
 */
export function parsePage(page: string): Element {
  const root = { name: '', attributes: {}, children: [] as (Element | string)[] };
  const open = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < page.length) {
    const from = TOKEN.lastIndex;
    const { end, start, list, text } = TOKEN.exec(page)?.groups ?? fail(page, from);
    const around = open[open.length - 1];
    if (text !== undefined) around.children.push(decode(text));
    if (end !== undefined && open.pop()?.name !== end) fail(page, from);
    if (start !== undefined) {
      const element = { name: start, attributes: attributesOf(list), children: [] };
      around.children.push(element);
      if (!VOID.has(start)) open.push(element);
    }
  }
  if (open.length !== 1) fail(page, page.length);
  return root;
}

/** All elements inside of `element`, in the order of their start tags. */
export function descendants(element: Element): Element[] {
  return element.children.flatMap((child) =>
    typeof child === 'string' ? [] : [child, ...descendants(child)],
  );
}

/** The elements of a name inside of `element`. */
export function named(element: Element, name: string): Element[] {
  return descendants(element).filter((inner) => inner.name === name);
}

/** The text inside of `element`. */
export function textOf(element: Element): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}

function attributesOf(list: string): Record<string, string> {
  const pairs = [...list.matchAll(ATTRIBUTE)].map(({ groups }): [string, string] => [
    groups!.key,
    decode(groups!.value),
  ]);
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error(`an attribute twice:${list}`);
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d+);)?/g, (_, code?: string) => {
    if (code === undefined) throw new Error(`a bare & in ${JSON.stringify(text)}`);
    return String.fromCharCode(Number(code));
  });
}

function fail(page: string, at: number): never {
  throw new Error(`not well-formed at ${at}: ${JSON.stringify(page.slice(at, at + 80))}`);
}
