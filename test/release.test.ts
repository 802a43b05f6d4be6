// What a release needs: the changelog's next section, and a guide that knows every command.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { release } from '../scripts/release-notes.ts';

const head = '# Changelog\n\nAbout.\n\n';

describe('release', () => {
  it('puts what was unreleased under the version', () => {
    const before = `${head}## Unreleased\n\n### Added\n\n- A.\n\n## 0.1.0 - 2024-01-01\n\n- B.\n`;
    expect(release(before, '0.2.0', '2024-02-01')).toBe(
      `${head}## Unreleased\n\n## 0.2.0 - 2024-02-01\n\n### Added\n\n- A.\n\n## 0.1.0 - 2024-01-01\n\n- B.\n`,
    );
  });

  it('takes the first release of all', () => {
    expect(release(`${head}## Unreleased\n\n- A.\n`, '0.1.0', '2024-01-01')).toBe(
      `${head}## Unreleased\n\n## 0.1.0 - 2024-01-01\n\n- A.\n`,
    );
  });

  it.each([
    [
      'nothing is unreleased',
      `${head}## Unreleased\n\n## 0.1.0 - 2024-01-01\n\n- A.\n`,
      /Nothing is unreleased/,
    ],
    ['there is no such section', `${head}## 0.1.0 - 2024-01-01\n\n- A.\n`, /no section/],
    ['the version is out', `${head}## Unreleased\n\n- A.\n\n## 0.2.0 - 2024-01-01\n\n- B.\n`, /already has/],
  ])('refuses when %s', (_, changelog, message) => {
    expect(() => release(changelog, '0.2.0', '2024-02-01')).toThrow(message);
  });

  it("finds its place in the project's own changelog", () => {
    expect(readFileSync('CHANGELOG.md', 'utf8').match(/^## Unreleased$/gm)).toHaveLength(1);
  });
});

describe('CONTRIBUTING.md', () => {
  const guide = readFileSync('CONTRIBUTING.md', 'utf8');
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  // npm runs these by itself.
  const hooks = ['prepack', 'prepare', 'preversion', 'version'];

  it.each(Object.keys(scripts).filter((name) => !hooks.includes(name)))('explains npm run %s', (name) => {
    expect(guide).toMatch(new RegExp(`^\\| \`npm (run )?${name}( -- WHAT)?\` .*\\|`, 'm'));
  });
});
