// Runs the suite in one runtime.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start, within } from './child.ts';
import { type Absence, failedRun, type Report, type Result } from './report.ts';
import type { BrowserStart, ProcessStart, Runtime } from './runtimes.ts';
import { serve } from './serve.ts';

/** Milliseconds that a runtime has for the whole suite, its start included, and to say its version. */
const LIMIT = 60_000;

/** No start page, no updates, nothing sent home. */
const FIREFOX_PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.enabled': false,
};

/**
 * The suite in `runtime`, on the built package in folder `root`. A runtime that fails, or hangs, makes a report with a failed check;
 * one that is not installed none.
 */
export async function runIn(runtime: Runtime, root: string, limit = LIMIT): Promise<Report | Absence> {
  const program = runtime.find();
  if (program === null) return { runtime: runtime.name, hint: runtime.hint };
  const begin = performance.now();
  const { start: how } = runtime;
  const run =
    how.kind === 'process' ? runProcess(how, program, root, limit) : runBrowser(how, program, root, limit);
  const results = await run.catch((error: Error) => failedRun(error.message));
  return {
    runtime: runtime.name,
    version: await versionOf(how, program),
    engine: runtime.engine,
    milliseconds: Math.round(performance.now() - begin),
    results,
  };
}

async function versionOf(how: Runtime['start'], program: string): Promise<string> {
  const [command, ...rest] = [...(how.kind === 'browser' ? how.wrapper : []), program, '--version'];
  const child = start(command, rest, '.');
  try {
    await within(LIMIT, child.exit);
  } catch {
    return 'unknown';
  } finally {
    await child.stop();
  }
  return /\d+(?:\.\d+)+/.exec(child.output.stdout)?.[0] ?? 'unknown';
}

async function runProcess(
  how: ProcessStart,
  program: string,
  root: string,
  limit: number,
): Promise<readonly Result[]> {
  const child = start(program, [...how.arguments, 'test/conformance/process.mjs'], root);
  try {
    const code = await within(limit, child.exit);
    if (code !== 0) throw new Error(`exit code ${code}: ${child.output.stderr}`);
    return JSON.parse(child.output.stdout) as Result[];
  } finally {
    await child.stop();
  }
}

async function runBrowser(
  how: BrowserStart,
  program: string,
  root: string,
  limit: number,
): Promise<readonly Result[]> {
  const served = await serve(root, how.isolated);
  const profile = await mkdtemp(join(tmpdir(), 'buddy-browser-'));
  await writeFile(
    join(profile, 'user.js'),
    Object.entries(FIREFOX_PREFERENCES)
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
      .join(''),
  );
  const [command, ...rest] = [...how.wrapper, program, ...how.arguments(profile), served.url];
  const child = start(command, rest, root);
  const early = child.exit.then((code) => {
    throw new Error(`the browser ended with exit code ${code}: ${child.output.stderr}`);
  });
  try {
    const outcome = await within(limit, Promise.race([served.outcome, early]));
    const { results, error } = JSON.parse(outcome) as { results?: Result[]; error?: string };
    if (results === undefined) throw new Error(error);
    return results;
  } finally {
    await child.stop();
    served.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
