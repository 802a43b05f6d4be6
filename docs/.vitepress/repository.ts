// Where the pages link to files that are not pages: to the project's repository, if package.json names one.

import { posix } from 'node:path';

/** What this needs to know of package.json. */
export interface Manifest {
  readonly repository?: string | { readonly url: string };
}

/** Address of the repository for a browser; null when the manifest names none. */
export function repositoryUrl({ repository }: Manifest): string | null {
  if (repository === undefined) return null;
  const url = typeof repository === 'string' ? repository : repository.url;
  return url
    .replace(/^github:/, 'https://github.com/')
    .replace(/^git\+/, '')
    .replace(/\.git$/, '');
}

/**
 * What becomes of a link in a page.
 *
 * @param href - as it stands in the page.
 * @param page - the page's path from the project's root.
 * @param repository - as {@link repositoryUrl} gave it.
 * @returns the same link when it leads to a page, a figure, a place in the page, or another site; one to the repository
 * when it leads to any other file; null when there is no such address to give, and the link's text must do.
 */
export function siteLink(href: string, page: string, repository: string | null): string | null {
  if (/^(#|[a-z]+:)/.test(href)) return href;
  const [path, fragment] = href.split('#', 2);
  const target = posix.join(posix.dirname(page), path);
  if (/^docs\/(.*\.md|figures\/.*)$/.test(target)) return href;
  if (repository === null) return null;
  return `${repository}/blob/HEAD/${target}${fragment === undefined ? '' : `#${fragment}`}`;
}
