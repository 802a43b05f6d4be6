// Every code block of the documentation runs, against the built package and from the project's folder.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from '../scripts/bundle.ts';

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

const hasCompiler = ((): boolean => {
  const library = ['/lib64', '/usr/lib64', '/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu'];
  const { status } = spawnSync('gcc', ['--version']);
  return status === 0 && library.some((folder) => existsSync(`${folder}/libc_malloc_debug.so.0`));
})();

/**
 * Commands run in a scratch folder that has the project's data, examples and command, and the package where npm puts it.
 */
function runShell(text: string): string {
  const buddy = `node ${resolve('dist/cli.js')}`;
  const links = ['data', 'examples'].map((name) => `ln -sfn ${resolve(name)} ${name};`).join(' ');
  const installed = `mkdir -p node_modules; ln -sfn ${resolve('.')} node_modules/buddy-allocator`;
  const prelude = `set -eu; cd ${scratch}; ${links} ${installed}; buddy() { ${buddy} "$@"; }; npx() { "$@"; };`;
  return execFileSync('bash', ['-c', `${prelude}\n${text}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What the compiler makes of a TypeScript module for runtimes that do not know `using`. It does not check types. */
function compiled(text: string): string {
  const { ES2022 } = ts.ScriptTarget;
  return ts.transpileModule(text, { compilerOptions: { target: ES2022, module: ts.ModuleKind.ES2022 } })
    .outputText;
}

function runModule(text: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
}

describe.each(pages)('%s', (page) => {
  const found = snippets(page);
  for (const { language, line, text } of found) {
    const name = `line ${line} (${language})`;
    if (language === 'js') it(name, () => void runModule(text));
    else if (language === 'ts') it(name, () => void runModule(compiled(text)));
    // What installs or tests the project itself is what the continuous integration runs.
    else if (language === 'sh' && !/npm /.test(text)) it(name, () => void runShell(text));
    else if (language === 'html') {
      it(name, () => {
        const [, ...files] = text.split('/node_modules/buddy-allocator/').map((part) => part.split('"')[0]);
        expect(files.length).toBeGreaterThan(0);
        for (const file of files) expect(existsSync(file), file).toBe(true);
      });
    } else if (language === 'c') {
      it(name, () => writeFileSync(join(scratch, /^\/\/ (\S+)/.exec(text)?.[1] ?? ''), text));
    } else if (language === 'console') {
      const commands = text.replaceAll(/^\$ /gm, '');
      it.skipIf(!hasCompiler)(`${name}, needs gcc and glibc's malloc_debug`, () => void runShell(commands));
    } else if (language !== 'sh') {
      it(name, () => expect(['text', 'json']).toContain(language));
    }
  }
  it('links to files that exist', () => {
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      expect(() => readFileSync(join(page, '..', target)), `${page}: ${target}`).not.toThrow(/ENOENT/);
    }
  });
});

/** The guides: a newcomer starts with one of them. */
const GUIDES = [
  ...[
    'advise',
    'api',
    'cli',
    'debug',
    'frame-pool',
    'heap',
    'mempool',
    'prefixes',
    'README',
    'replicated',
    'shared',
  ],
  ...['shared-heap', 'traces', 'webassembly', 'webgl', 'webgpu'],
];

it.each(GUIDES)('docs/%s.md opens with what to install, and a short example', (name) => {
  const [opening] = readFileSync(`docs/${name}.md`, 'utf8').split('\n## ');
  const [install, example] = opening.matchAll(/^```(\w+).*\n([\s\S]*?)^```$/gm);
  expect(install[2]).toBe('npm install buddy-allocator\n');
  expect(['js', 'sh']).toContain(example[1]);
  expect(example[2].split('\n').filter((line) => line !== '').length).toBeLessThan(20);
});

describe('the map of the parts', () => {
  const [inReadme, inDocs] = ['README.md', 'docs/README.md'].map(
    (page) => /<!-- map -->([\s\S]*)<!-- \/map -->/.exec(readFileSync(page, 'utf8'))?.[1] ?? '',
  );

  it('is the same in the README and on the first page of the site', () => {
    expect(inReadme.split('\n').length).toBeGreaterThan(10);
    expect(inReadme.replaceAll('](docs/', '](')).toBe(inDocs);
  });

  const rows = [...inReadme.matchAll(/^\|.*?\| \[`(\w+)`?.*?\| (?:`(\/\w+)`.*?)? ?\| (\d+) \|$/gm)];
  it.each(
    rows.map(([, name, path = '', stated]) => ({ name, path, stated: Number(stated) })),
  )('states the size of $name from $path: $stated kB', async ({ name, path, stated }) => {
    const { brotli } = await bundle(`export { ${name} } from 'buddy-allocator${path}';`);
    expect(Math.abs(brotli / 1000 - stated)).toBeLessThan(1);
  });

  it('has a size in every row but that of the command', () => {
    expect(rows.length).toBe(inReadme.trim().split('\n').length - 3);
  });
});
