// The documentation as a site: docs/*.md as they are, and the reference that TypeDoc makes of the docstrings.

import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig } from 'vitepress';
import { entryPoints } from '../../scripts/entry-points.mjs';
import { checkSite } from './check.ts';
import { home } from './home.ts';
import { rewriteLinks, slug } from './markdown.ts';
import { referenceSection, sections } from './navigation.ts';
import { type Manifest, repositoryUrl } from './repository.ts';

const docs = resolve(import.meta.dirname, '..');
const root = resolve(docs, '..');

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest & {
  name: string;
  description: string;
};
const repository = repositoryUrl(manifest);

// The playground is built by itself, before this. Without it the site is complete, and does not mention it.
const playground = join(root, 'playground/dist');
const hasPlayground = existsSync(join(playground, 'index.html'));

const reference = referenceSection(
  join(docs, 'reference'),
  entryPoints.map(({ specifier }) => specifier),
);

export default defineConfig({
  title: manifest.name,
  description: manifest.description,
  lang: 'en',
  rewrites: { 'README.md': 'index.md' },
  markdown: {
    anchor: { slugify: slug },
    config: (md) => rewriteLinks(md, root, repository),
  },
  transformHead: ({ siteData }) => [['link', { rel: 'icon', href: `${siteData.base}logo.svg` }]],
  transformPageData: (page) => {
    if (page.relativePath === 'index.md') Object.assign(page.frontmatter, home);
  },
  themeConfig: {
    logo: '/logo.svg',
    nav: [
      { text: 'Guide', link: '/heap' },
      { text: 'Reference', link: '/reference/' },
      ...(hasPlayground ? [{ text: 'Playground', link: '/playground/', target: '_self' }] : []),
      ...(repository === null ? [] : [{ text: 'Source', link: repository }]),
    ],
    sidebar: [...sections, reference],
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true,
  },
  buildEnd: ({ outDir, site }) => {
    cpSync(join(docs, 'figures'), join(outDir, 'figures'), { recursive: true });
    if (hasPlayground) cpSync(playground, join(outDir, 'playground'), { recursive: true });
    const problems = checkSite(outDir, site.base);
    if (problems.length > 0) throw new Error(`Dead links:\n${problems.join('\n')}`);
  },
});
