// Whether every link of a built site leads somewhere: to a file of the site, and to an anchor that is there.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What of a page matters here. */
interface Page {
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

const ORIGIN = 'http://site.invalid';

/**
 * Reads every page below `folder` and follows what its elements refer to by `href` and `src`. Other sites are not visited.
 *
 * @param folder - where the site was built.
 * @param base - the path that it will have on its server; begins and ends with a slash.
 * @returns one line for each reference that leads nowhere.
 */
export function checkSite(folder: string, base: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pages = new Map<string, Page>();
  for (const file of files) if (file.endsWith('.html')) pages.set(file, read(join(folder, file)));
  const problems: string[] = [];
  for (const [file, { links }] of pages) {
    for (const link of links) {
      const url = new URL(link, `${ORIGIN}${base}${file}`);
      if (url.origin !== ORIGIN) continue;
      const target = url.pathname.startsWith(base) ? find(folder, url.pathname.slice(base.length)) : null;
      const anchor = decodeURIComponent(url.hash.slice(1));
      if (target === null) problems.push(`${file}: ${link}: no such file`);
      else if (anchor !== '' && pages.get(target)?.anchors.has(anchor) === false) {
        problems.push(`${file}: ${link}: no such anchor in ${target}`);
      }
    }
  }
  return problems;
}

// Comments, and what scripts and styles hold, have no elements. A start tag has attributes with or without quotes.
const NO_ELEMENTS = /<!--.*?-->|(?<=<(script|style)\b[^>]*>).*?(?=<\/\1>)/gs;
const START_TAG = /<[a-z][\w:-]*((?:\s+[^\s=>]+(?:="[^"]*"|='[^']*'|=[^\s"'>]+)?)*)\s*\/?>/gi;
const REFERENCE = /\s(href|src|id)=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

function read(path: string): Page {
  const links: string[] = [];
  const anchors = new Set<string>();
  for (const [, attributes] of readFileSync(path, 'utf8').replace(NO_ELEMENTS, '').matchAll(START_TAG)) {
    for (const [, name, double, single, bare] of attributes.matchAll(REFERENCE)) {
      const value = decode(double ?? single ?? bare);
      if (name === 'id') anchors.add(value);
      else links.push(value);
    }
  }
  return { links, anchors };
}

function decode(value: string): string {
  const NAMES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return value.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (text, decimal, hex, name) => {
    if (name !== undefined) return NAMES[name] ?? text;
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** The file that a web server of static files answers with, relative to `folder`; null when there is none. */
function find(folder: string, path: string): string | null {
  const file = decodeURIComponent(path);
  const candidates = file === '' || file.endsWith('/') ? [join(file, 'index.html')] : [file, `${file}.html`];
  return (
    candidates.find((name) => existsSync(join(folder, name)) && statSync(join(folder, name)).isFile()) ?? null
  );
}
