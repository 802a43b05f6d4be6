// The site: every page has its place, links lead where they should, and one that leads nowhere is found.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSite } from '../docs/.vitepress/check.ts';
import { home } from '../docs/.vitepress/home.ts';
import { slug } from '../docs/.vitepress/markdown.ts';
import { sections } from '../docs/.vitepress/navigation.ts';
import { repositoryUrl, siteLink } from '../docs/.vitepress/repository.ts';

const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));

describe('the sidebar', () => {
  it('has every page of docs/ once', () => {
    const links = sections.flatMap(({ items = [] }) => items.map(({ link }) => link));
    const expected = pages.map((name) => (name === 'README.md' ? '/' : `/${name.replace('.md', '')}`));
    expect(links.toSorted()).toEqual(expected.toSorted());
  });
});

describe('repositoryUrl', () => {
  it.each([
    [{}, null],
    [{ repository: 'github:some/thing' }, 'https://github.com/some/thing'],
    [{ repository: { url: 'git+https://github.com/some/thing.git' } }, 'https://github.com/some/thing'],
    [{ repository: { url: 'https://example.org/thing' } }, 'https://example.org/thing'],
  ])('of %j is %j', (manifest, url) => {
    expect(repositoryUrl(manifest)).toBe(url);
  });
});

describe('siteLink', () => {
  const repository = 'https://example.org/thing';

  it.each([
    'heap.md',
    './heap.md#growth',
    '#growth',
    'figures/scaling.svg',
    'https://example.com/',
  ])('leaves %s as it is', (href) => {
    expect(siteLink(href, 'docs/api.md', repository)).toBe(href);
    expect(siteLink(href, 'docs/api.md', null)).toBe(href);
  });

  it('leads to the repository for what is not on the site', () => {
    expect(siteLink('../src/base/word.ts', 'docs/api.md', repository)).toBe(
      `${repository}/blob/HEAD/src/base/word.ts`,
    );
    expect(siteLink('../README.md#two-commands', 'docs/api.md', repository)).toBe(
      `${repository}/blob/HEAD/README.md#two-commands`,
    );
  });

  it('leads nowhere for such a file when there is no repository to lead to', () => {
    expect(siteLink('../src/base/word.ts', 'docs/api.md', null)).toBeNull();
  });
});

describe('slug', () => {
  it.each([
    ['Side by side', 'side-by-side'],
    ['buddy replay FILE', 'buddy-replay-file'],
    ['What is different from `BuddyAllocator`', 'what-is-different-from-buddyallocator'],
    ['No garbage, no initialisation', 'no-garbage-no-initialisation'],
    ['In place of @thi.ng/malloc', 'in-place-of-thingmalloc'],
    ['free_all() - état', 'free_all---état'],
  ])('%s', (heading, anchor) => {
    expect(slug(heading)).toBe(anchor);
  });

  it('gives the anchors that the first page leads to', () => {
    for (const { link } of home.features) {
      const [page, anchor] = link.split('#');
      if (anchor === undefined) continue;
      const headings = readFileSync(`docs${page}.md`, 'utf8').matchAll(/^#+ (.*)$/gm);
      expect([...headings].map(([, heading]) => slug(heading))).toContain(anchor);
    }
  });
});

describe('checkSite', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'buddy-site-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function page(name: string, html: string): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), `<!doctype html><html><body>${html}</body></html>`);
  }

  it('is content with a site whose links all lead somewhere', () => {
    page(
      'index.html',
      '<a href="/b/guide/start.html#one">1</a><a href="guide/start">2</a><a href="#top" id="top">3</a>',
    );
    page(
      'guide/start.html',
      '<h2 id="one">1</h2><a href="../">up</a><img src="../logo.svg"><a href="/b/guide/x/">x</a>',
    );
    page(
      'guide/x/index.html',
      '<a href="https://example.com/nowhere">other</a><a href="mailto:a@example.com">mail</a>',
    );
    page('logo.svg', '');
    expect(checkSite(folder, '/b/')).toEqual([]);
  });

  it.each([
    ['a page that is not there', '<a href="gone.html">x</a>', 'index.html: gone.html: no such file'],
    ['an image that is not there', '<img src="gone.png">', 'index.html: gone.png: no such file'],
    [
      'an anchor that is not there',
      '<a href="#gone">x</a>',
      'index.html: #gone: no such anchor in index.html',
    ],
    [
      'an anchor of another page',
      '<a href="b.html#gone">x</a>',
      'index.html: b.html#gone: no such anchor in b.html',
    ],
    ['a place outside the site', '<a href="/b.html">x</a>', 'index.html: /b.html: no such file'],
    ['a folder without a page', '<a href="empty/">x</a>', 'index.html: empty/: no such file'],
  ])('finds %s', (_, html, problem) => {
    page('index.html', html);
    page('b.html', '<p id="here">');
    mkdirSync(join(folder, 'empty'));
    expect(checkSite(folder, '/b/')).toEqual([problem]);
  });
});
