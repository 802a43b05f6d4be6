// The runtimes that the package is for, and how to find and start each of them.

import { existing, named, onPath } from './find.ts';
import { installed, type PackageName } from './npm.ts';

export interface Runtime {
  /** What it is called on the command line. */
  readonly id: string;
  readonly name: string;
  readonly engine: string;
  /** Path of the program; null when it is not installed. */
  find(): string | null;
  /** How to get it. */
  readonly hint: string;
  /** The npm package that brings it. */
  readonly package?: PackageName;
  readonly start: ProcessStart | BrowserStart;
}

/** A program that runs a module. */
export interface ProcessStart {
  readonly kind: 'process';
  /** Arguments before the module's path. */
  readonly arguments: readonly string[];
}

/** A program that shows a page. */
export interface BrowserStart {
  readonly kind: 'browser';
  /** Arguments, for a profile in that folder. */
  arguments(profile: string): readonly string[];
  /** Whether the page is cross-origin isolated, without which browsers offer no SharedArrayBuffer. */
  readonly isolated: boolean;
  /** The command that starts the browser, before the browser's path; empty if it starts by itself. */
  readonly wrapper: readonly string[];
}

const BY_NPM = 'npm run long -- runtimes --install';

const CHROMIUM = {
  engine: 'V8',
  find: () =>
    named('CHROMIUM') ??
    onPath(['chromium', 'chromium-browser', 'google-chrome']) ??
    existing([
      '/opt/google/chrome/chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      'C:/Program Files/Google/Chrome/Application/chrome',
    ]),
  hint: 'apt-get install chromium, or name it in CHROMIUM',
};

const FIREFOX = {
  engine: 'SpiderMonkey',
  find: () =>
    named('FIREFOX') ??
    onPath(['firefox', 'firefox-esr']) ??
    existing([
      '/Applications/Firefox.app/Contents/MacOS/firefox',
      'C:/Program Files/Mozilla Firefox/firefox',
    ]),
  hint: 'apt-get install firefox-esr, or name it in FIREFOX',
};

/** The browser of WebKitGTK: the engine of Safari, on Linux. It has no headless mode. */
const WEBKIT = {
  engine: 'JavaScriptCore',
  find: () => {
    const browser =
      named('WEBKIT') ??
      existing(['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/webkit2gtk-4.1/MiniBrowser`));
    return onPath(['xvfb-run']) === null ? null : browser;
  },
  hint: 'apt-get install libwebkit2gtk-4.1-0 xvfb xauth, or name a MiniBrowser in WEBKIT',
};

function chromiumPage(isolated: boolean): BrowserStart {
  return {
    kind: 'browser',
    isolated,
    wrapper: [],
    arguments: (profile) => [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
      `--user-data-dir=${profile}`,
    ],
  };
}

function firefoxPage(isolated: boolean): BrowserStart {
  return {
    kind: 'browser',
    isolated,
    wrapper: [],
    arguments: (profile) => ['--headless', '--no-remote', '--profile', profile],
  };
}

function webkitPage(isolated: boolean): BrowserStart {
  // Safari gives an isolated page SharedArrayBuffer, WebKitGTK does so by this variable only.
  const shared = isolated ? ['env', 'JSC_useSharedArrayBuffer=1'] : [];
  return {
    kind: 'browser',
    isolated,
    wrapper: [...shared, 'xvfb-run', '-a'],
    arguments: () => ['--private'],
  };
}

export const RUNTIMES: readonly Runtime[] = [
  {
    id: 'node',
    name: 'Node, the one in use',
    engine: 'V8',
    find: () => process.execPath,
    hint: '',
    start: { kind: 'process', arguments: [] },
  },
  {
    id: 'node-newest',
    name: 'Node, the newest',
    engine: 'V8',
    find: () => named('NODE_NEWEST') ?? installed('node'),
    hint: `${BY_NPM}, or name it in NODE_NEWEST`,
    package: 'node',
    start: { kind: 'process', arguments: [] },
  },
  {
    id: 'bun',
    name: 'Bun',
    engine: 'JavaScriptCore',
    find: () => named('BUN') ?? installed('bun') ?? onPath(['bun']),
    hint: `${BY_NPM}, or name it in BUN`,
    package: 'bun',
    start: { kind: 'process', arguments: [] },
  },
  {
    id: 'deno',
    name: 'Deno',
    engine: 'V8',
    find: () => named('DENO') ?? installed('deno') ?? onPath(['deno']),
    hint: `${BY_NPM}, or name it in DENO`,
    package: 'deno',
    start: {
      kind: 'process',
      arguments: ['run', '--no-config', '--no-lock', '--no-prompt', '--allow-read=.'],
    },
  },
  { ...CHROMIUM, id: 'chromium', name: 'Chromium', start: chromiumPage(true) },
  { ...CHROMIUM, id: 'chromium-plain', name: 'Chromium, page not isolated', start: chromiumPage(false) },
  { ...FIREFOX, id: 'firefox', name: 'Firefox', start: firefoxPage(true) },
  { ...FIREFOX, id: 'firefox-plain', name: 'Firefox, page not isolated', start: firefoxPage(false) },
  { ...WEBKIT, id: 'webkit', name: 'WebKitGTK', start: webkitPage(true) },
  { ...WEBKIT, id: 'webkit-plain', name: 'WebKitGTK, page not isolated', start: webkitPage(false) },
];
