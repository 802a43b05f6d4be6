// Every code block of the documentation runs, against the built package and from the project's folder.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

interface Snippet {
  readonly language: string;
  readonly line: number;
  readonly text: string;
}

const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const scratch = mkdtempSync(join(tmpdir(), 'buddy-docs-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function snippets(page: string): Snippet[] {
  const found: Snippet[] = [];
  const markdown = readFileSync(page, 'utf8');
  for (const match of markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    found.push({
      language: match[1],
      line: markdown.slice(0, match.index).split('\n').length,
      text: match[2],
    });
  }
  return found;
}

/** Commands run in the project's folder, except that what they write goes to a scratch folder. */
function runShell(text: string): string {
  const buddy = `node ${resolve('dist/cli.js')}`;
  const data = resolve('data');
  const prelude = `set -eu; cd ${scratch}; ln -sfn ${data} data; npx() { shift; ${buddy} "$@"; };`;
  return execFileSync('bash', ['-c', `${prelude}\n${text}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function runModule(text: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
}

describe.each(pages)('%s', (page) => {
  const found = snippets(page);
  for (const { language, line, text } of found) {
    if (language === 'js') it(`line ${line}`, () => void runModule(text));
    else if (language === 'sh' && !/npm |^git /m.test(text)) it(`line ${line}`, () => void runShell(text));
    else if (language !== 'sh') {
      it(`line ${line}`, () => expect(['text', 'c', 'json'], `a block in ${language}`).toContain(language));
    }
  }
  it('links to files that exist', () => {
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      expect(() => readFileSync(join(page, '..', target)), `${page}: ${target}`).not.toThrow(/ENOENT/);
    }
  });
});
