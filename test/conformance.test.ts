// The conformance suite in every runtime that is here, and that it notices what it should notice.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences, isReport, type Report, type Result } from './conformance/runner/report.ts';
import { runIn } from './conformance/runner/run.ts';
import { type ProcessStart, RUNTIMES, type Runtime } from './conformance/runner/runtimes.ts';
import { type Stage, stage } from './conformance/runner/stage.ts';
import { failureText, markdownTable, terminalTable } from './conformance/runner/table.ts';
import { replaced } from './conformance/runner/update.ts';
import { ReferenceAllocator } from './spec/reference.ts';
import { TRACE_HASHES } from './support/traces.ts';

const node = RUNTIMES[0];

async function reportOf(runtime: Runtime, root = '.', limit?: number): Promise<Report> {
  const report = await runIn(runtime, root, limit);
  if (!isReport(report)) throw new Error(`${runtime.name} is not there`);
  return report;
}

const failedIn = ({ results }: Report): Result[] => results.filter(({ status }) => status === 'failed');

describe('the suite passes', () => {
  const reports: Report[] = [];
  for (const runtime of RUNTIMES) {
    const absent = runtime.find() === null;
    it.skipIf(absent)(`in ${runtime.name}${absent ? ` (${runtime.hint})` : ''}`, async () => {
      const report = await reportOf(runtime);
      expect(failedIn(report)).toEqual([]);
      expect(report.results.length).toBeGreaterThan(40);
      expect(report.version).toMatch(/^\d+\.\d+/);
      reports.push(report);
    });
  }
  it('with the same fingerprints in all of them', () => {
    expect(differences(reports)).toEqual([]);
    expect(reports[0].results.filter(({ fingerprint }) => fingerprint !== null).length).toBeGreaterThan(5);
  });
});

describe('what it takes for right', () => {
  const load = (path: string): Promise<unknown> =>
    import(new URL(`./conformance/${path}`, import.meta.url).href);

  it('is what the reference answers', async () => {
    const { runSequence, SEQUENCE_CAPACITY } = (await load('sequence.mjs')) as {
      runSequence(arena: ReferenceAllocator): number[];
      SEQUENCE_CAPACITY: number;
    };
    const { SEQUENCE_HASH } = (await load('checks/allocator.mjs')) as { SEQUENCE_HASH: number };
    const { SQLITE_HASH } = (await load('checks/trace.mjs')) as { SQLITE_HASH: number };
    const offsets = runSequence(new ReferenceAllocator(SEQUENCE_CAPACITY));
    expect(offsets.reduce((h, offset) => (Math.imul(h, 31) + offset) >>> 0, 0)).toBe(SEQUENCE_HASH);
    expect(SQLITE_HASH).toBe(TRACE_HASHES.sqlite);
  });
});

describe('a bug in the built package is found', () => {
  let staged: Stage;
  beforeAll(async () => {
    staged = await stage();
    await staged.plant(
      'index',
      `export class BuddyAllocator extends real.BuddyAllocator {
         alloc(size) { return super.alloc(size === 3 ? 5 : size); }
       }`,
    );
    await staged.plant(
      'heap',
      `export class Heap extends real.Heap {
         realloc(ptr, bytes) {
           const moved = super.realloc(ptr, bytes);
           if (moved !== ptr && moved !== 0) new Uint8Array(this.buffer)[moved + 63] = 0;
           return moved;
         }
         trim() { return super.trim() + 1; }
       }`,
    );
    await staged.plant(
      'mempool',
      'export class MemPool extends real.MemPool { free(at) { super.free(at); return true; } }',
    );
    await staged.plant('debug', 'export class DebugHeap extends real.DebugHeap { verify() { return []; } }');
    await staged.plant(
      'trace',
      'export const encodeTrace = (trace) => real.encodeTrace(trace).slice(0, -1);',
    );
    await staged.plant(
      'shared',
      `const { alloc } = real.SharedBuddyAllocator.prototype;
       let calls = 0;
       let last = -1;
       real.SharedBuddyAllocator.prototype.alloc = function (size) {
         // Once in a long time the block before is given out again.
         if (calls++ > 500 && calls % 100 === 0 && size === 1) return last;
         const offset = alloc.call(this, size);
         if (size === 1) last = offset;
         return offset;
       };`,
    );
    await staged.plant(
      'webgpu',
      `const { flush } = real.BufferPool.prototype;
       real.BufferPool.prototype.flush = function () { this.free = () => undefined; return flush.call(this); };`,
    );
    await staged.plant(
      'webgl',
      `const { write } = real.BufferPool.prototype;
       real.BufferPool.prototype.write = function (allocation, data) { write.call(this, allocation, data.slice(1)); };`,
    );
  });
  afterAll(() => staged.remove());

  it('by the part that is for it', async () => {
    const failed = failedIn(await reportOf(node, staged.root)).map(({ name }) => name);
    expect(failed).toEqual([
      'allocator: places the sequence as the classic tree does',
      'heap: malloc, calloc, realloc and free',
      'memory: a resizable ArrayBuffer of its own grows and shrinks',
      'memory: a growable SharedArrayBuffer',
      'mempool: allocates, resizes and frees',
      'debug: finds double frees and uses after free',
      'trace: writes and reads int32',
      'trace: reads bytes in shared memory',
      'trace: reads bytes in resizable memory',
      'trace: reads bytes in shared WebAssembly memory',
      'shared: two workers allocate, free and pass blocks on',
      'webgpu: reuses a range only when the queue is done',
      'webgl: writes ranges and moves them together, with their bytes',
    ]);
  });
});

describe('a runtime', () => {
  const broken = (code: string): Runtime => {
    const start: ProcessStart = { kind: 'process', arguments: ['-e', code, '--'] };
    return { ...node, name: 'broken', start };
  };

  it('that hangs has failed', async () => {
    const report = await reportOf(broken('setInterval(() => {}, 1000)'), '.', 1000);
    expect(failedIn(report)).toMatchObject([{ message: 'no result in 1 s' }]);
  });

  it('that crashes, or says nothing, has failed', async () => {
    const crashed = await reportOf(broken('throw new Error("on purpose")'));
    expect(failedIn(crashed)[0].message).toMatch(/exit code 1: [\s\S]*on purpose/);
    expect(failedIn(await reportOf(broken('')))).toHaveLength(1);
  });

  it('that cannot be started has failed', async () => {
    const report = await reportOf({ ...node, find: () => '/nowhere/node' });
    expect(failedIn(report)[0].message).toMatch(/ENOENT/);
    expect(report.version).toBe('unknown');
  });

  it('that is not installed is shown, with how to get it', async () => {
    const entry = await runIn({ ...node, name: 'Absent', find: () => null, hint: 'ask for it' }, '.');
    expect(terminalTable([entry])).toMatch(/Absent.*not installed: ask for it/);
  });
});

describe('the reports', () => {
  const result = (
    name: string,
    status: Result['status'],
    message: string,
    fingerprint: number | null,
  ): Result => ({
    name,
    status,
    message,
    fingerprint,
  });
  const report = (runtime: string, fingerprint: number): Report => ({
    runtime,
    version: '1.0',
    engine: 'E',
    milliseconds: 100,
    results: [
      result('a', 'passed', '', fingerprint),
      result('b', 'skipped', 'frames', null),
      result('c', 'skipped', 'frames', null),
      result('d', 'failed', 'it was 1', null),
    ],
  });

  it('show what differs between runtimes', () => {
    const three = [report('A', 1), report('B', 2), report('C', 1)];
    expect(differences(three)).toEqual(['a: 1 in A, C; 2 in B']);
    expect(failureText(three)).toMatch(
      /FAILED in A: d\n {2}it was 1\n[\s\S]*NOT THE SAME EVERYWHERE: a: 1 in A, C; 2 in B$/,
    );
  });

  it('make a table for a page', () => {
    const table = markdownTable([report('A', 1)]);
    expect(table.split('\n').at(-1)).toBe('| A | 1.0 | E | 1 | 1 | frames (2) |');
    const page = 'x\n<!-- runtimes -->\nold\n<!-- /runtimes -->\ny\n';
    const once = replaced(page, table, 'page.md');
    expect(once).toBe(`x\n<!-- runtimes -->\n\n${table}\n\n<!-- /runtimes -->\ny\n`);
    expect(replaced(once, table, 'page.md')).toBe(once);
  });

  it.each([
    'no markers',
    '<!-- runtimes --> no end',
    '<!-- /runtimes --> the wrong way round <!-- runtimes -->',
    '<!-- runtimes --><!-- /runtimes --><!-- runtimes --><!-- /runtimes -->',
  ])('do not go into a page with %s', (page) => {
    expect(() => replaced(page, 'table', 'page.md')).toThrow('page.md must have a line <!-- runtimes -->');
  });
});
