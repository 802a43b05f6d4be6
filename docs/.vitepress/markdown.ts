// How the site reads Markdown so that a page is the same there as in the repository: links and anchors.

import { relative } from 'node:path';
import type { MarkdownEnv, MarkdownRenderer } from 'vitepress';
import { siteLink } from './repository.ts';

/** A heading's anchor, by the rules of GitHub: letters, digits, `-` and `_` stay, a space becomes `-`. */
export function slug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** Has `md` rewrite every link by {@link siteLink}; a link that has nowhere to lead leaves its text. */
export function rewriteLinks(md: MarkdownRenderer, root: string, repository: string | null): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const { path, realPath } = env as MarkdownEnv;
    const page = relative(root, realPath ?? path);
    for (const { children } of tokens) {
      // Links do not nest, so the next closing token belongs to the last opening one.
      let dropped = false;
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          const target = siteLink(token.attrGet('href') ?? '', page, repository);
          dropped = target === null;
          if (target !== null) token.attrSet('href', target);
        }
        if (!dropped || !token.type.startsWith('link_')) continue;
        dropped = token.type !== 'link_close';
        token.type = 'text';
        token.tag = '';
        token.nesting = 0;
        token.attrs = null;
      }
    }
  });
}
