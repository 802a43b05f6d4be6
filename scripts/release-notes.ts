// The changelog in the format of Keep a Changelog: what a release does to it.

const UNRELEASED = '## Unreleased\n';

/**
 * The changelog once `version` is out: what was unreleased stands under it, and nothing is unreleased.
 *
 * @throws Error when there is nothing unreleased, or the version has a section already.
 */
export function release(changelog: string, version: string, date: string): string {
  const start = changelog.indexOf(UNRELEASED);
  if (start < 0) throw new Error('CHANGELOG.md has no section "## Unreleased"');
  if (changelog.includes(`\n## ${version} `)) throw new Error(`CHANGELOG.md already has version ${version}`);
  const body = start + UNRELEASED.length;
  const end = changelog.indexOf('\n## ', body);
  const notes = changelog.slice(body, end < 0 ? undefined : end);
  if (!/^- /m.test(notes)) throw new Error('Nothing is unreleased');
  return `${changelog.slice(0, body)}\n## ${version} - ${date}\n${changelog.slice(body)}`;
}
