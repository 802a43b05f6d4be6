// The workflow that publishes: the right to do so is apart from all code that is installed or built.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const workflow = readFileSync('.github/workflows/publish.yml', 'utf8').replaceAll(/^\s*#.*\n/gm, '');

/** The text of each job. */
const jobs = Object.fromEntries(
  workflow
    .split(/^jobs:$/m)[1]
    .split(/^ {2}(?=\w+:$)/m)
    .slice(1)
    .map((job) => [/^\w+/.exec(job)?.[0] ?? '', job]),
);

describe('publish.yml', () => {
  it('lets one job publish, which only fetches the tarball and runs npm', () => {
    expect(Object.keys(jobs)).toEqual(['build', 'publish']);
    expect(workflow.match(/\bwrite\b/g)).toEqual(['write']);
    expect(workflow).toMatch(/^permissions: \{\}$/m);
    const { publish } = jobs;
    expect(publish).toContain('id-token: write');
    expect([...publish.matchAll(/uses: (\S+)@/g)].map(([, action]) => action)).toEqual([
      'actions/download-artifact',
      'actions/setup-node',
    ]);
    expect([...publish.matchAll(/run: (.*)/g)].map(([, command]) => command)).toEqual([
      'test "$(npm --version)" = 11.5.1',
      'npm publish --ignore-scripts --provenance --access public ./tarball/*.tgz',
    ]);
    expect(publish).toMatch(/node-version: \d+\.\d+\.\d+$/m);
  });
});

const workflows = readdirSync('.github/workflows');

it.each(workflows)('%s names every action by its commit, and its version beside it', (name) => {
  const text = readFileSync(`.github/workflows/${name}`, 'utf8');
  const uses = [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action);
  expect(uses.length).toBeGreaterThan(1);
  for (const action of uses) expect(action).toMatch(/^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

it('nothing that installs or builds may write', () => {
  for (const name of workflows) {
    for (const job of readFileSync(`.github/workflows/${name}`, 'utf8').split(/^ {2}(?=\w+:$)/m)) {
      if (/npm (ci|run|pack)|\.ci\/run/.test(job)) expect(job).not.toMatch(/\bwrite\b/);
    }
  }
});
