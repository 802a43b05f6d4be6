// The `buddy` command, run inside this process: what it prints, where, and with which exit status.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import type { Comparison } from '../../src/cli/allocators/compare.ts';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { dump } from '../../src/core/state/dump.ts';
import { type Advice, arenaAfter, encodeTrace, type ReplayReport, traceFromOps } from '../../src/trace.ts';

const SQLITE = 'data/sqlite.tr.gz';

let folder = '';
const file = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-'));
  writeFileSync(file('small.tr'), encodeTrace(traceFromOps(Int32Array.of(20, 16, 0, 49, ~1, ~0, ~3))));
  writeFileSync(file('text.mtrace'), '= Start\n- 0x10\n+ 0x20 0x8\n+ 0x20 0x8\n- 0x20\n= End\n');
  writeFileSync(file('bad.mtrace'), '= Start\n+ 0x20 0x8\n? 0x20\n');
  writeFileSync(file('empty'), '');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Surroundings {
  readonly stdin?: readonly Uint8Array[];
  readonly env?: Record<string, string>;
  /** Width of the terminal that both outputs go to; without it, they do not go to a terminal. */
  readonly terminal?: number;
}

/** Runs `buddy` with these arguments. */
async function buddy(
  argv: string[],
  { stdin = [], env = {}, terminal }: Surroundings = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr'): Io['stderr'] =>
    ({
      isTTY: terminal !== undefined,
      columns: terminal,
      write: (text: string) => {
        output[name] += text;
        return true;
      },
    }) as Io['stderr'];
  const io: Io = {
    stdin: (async function* () {
      yield* stdin;
    })(),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env,
  };
  const status = await run(argv, io);
  return { status, ...output };
}

describe('buddy', () => {
  test('takes a terminal that does not know its width for one of 80 characters', async () => {
    const map = (terminal: number) => buddy(['map', 'data/jq.tr.gz'], { terminal });
    expect(await map(0)).toEqual(await map(80));
  });

  test('gives a terminal nothing of a file to obey', async () => {
    const stdin = [new TextEncoder().encode('\u009b31mred\u007f\n')];
    expect((await buddy(['map', '-'], { stdin })).stderr).toBe(
      'error: -: line 1: not a line of mtrace: "\\u009b31mred\\u007f"\n',
    );
  });

  test('reads the format that is named, and else only what looks like a trace', async () => {
    writeFileSync(file('zeros'), new Uint8Array(4096));
    const { status, stderr } = await buddy(['replay', file('zeros')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /zeros: not a trace: .* \(to read integers without one, name the format int32\)\n$/,
    );
    for (const command of ['replay', 'map', 'advise']) {
      const named = await buddy([command, file('zeros'), '--format', 'int32']);
      expect(named).toMatchObject({ status: 0, stderr: '' });
      expect(named.stdout).toContain('1,024');
    }
  });

  // The cases killed-program and refused-requests.
  test.each(['replay', 'map', 'advise'])('%s says what a recording lacks', async (command) => {
    const lines = [
      '- 0x1',
      '+ 0x10 0x8',
      '+ 0x10 0x8',
      '+ (nil) 0x9',
      '! 0x10 0x9',
      '+ 0x20 0x80000000',
      '@',
    ];
    writeFileSync(file('gaps.mtrace'), lines.join('\n'));
    const { status, stdout } = await buddy([command, file('gaps.mtrace')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^operations {6}3.*\n${[
          '1 free of unknown addresses, skipped',
          '1 free missing, added',
          '2 requests refused by the C library, left out',
          '1 request for more than 2\\^31 - 1 bytes, left out',
          '1 line at the end cut off, left out',
        ]
          .map((line) => ` {16}${line}\n`)
          .join('')}`,
        'm',
      ),
    );
    expect((await buddy([command, file('text.mtrace')])).stdout).not.toContain('cut off');
    expect(await buddy([command, file('gaps.mtrace'), '--strict'])).toEqual({
      status: 2,
      stdout: '',
      stderr: `error: ${file('gaps.mtrace')}: line 6: 2147483648 bytes are more than 2^31 - 1\n`,
    });
    expect((await buddy([command, file('text.mtrace'), '--strict'])).status).toBe(0);
  });

  test('--version is the version of the package', async () => {
    expect(await buddy(['--version'])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test.each([
    [['--help']],
    [['replay', '--help']],
    [['map', '--help']],
    [['advise', '--help']],
    [['help', 'map']],
  ])('%s explains', async (argv) => {
    const { status, stdout, stderr } = await buddy(argv);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Usage: buddy');
    const expected = argv.includes('map')
      ? '--at <operations>'
      : argv.includes('advise')
        ? '--min-unit'
        : 'replay';
    expect(stdout).toContain(expected);
  });

  test('alone explains itself too, but that is bad usage', async () => {
    const { status, stdout, stderr } = await buddy([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('Usage: buddy');
  });

  const unit = /--unit.*must be an integer from 1 to 2\^30/;
  const capacity = /--capacity.*must be an integer from 1 to 2\^30/;
  const minUnit = /--min-unit.*must be one of 8, 16, 32, .*, 4096\./;
  test.each<[string[], RegExp]>([
    [['burn'], /unknown command 'burn'/],
    [['replay'], /missing required argument 'file'/],
    [['replay', SQLITE, 'more'], /too many arguments/],
    [['replay', SQLITE, '--jsn'], /unknown option '--jsn'.*--json/],
    [['replay', SQLITE, '--unit'], /argument missing/],
    [['replay', SQLITE, '--unit', '0'], unit],
    [['replay', SQLITE, '--unit', '-1'], unit],
    [['replay', SQLITE, '--unit', '1.5'], unit],
    [['replay', SQLITE, '--unit', '16k'], unit],
    [['replay', SQLITE, '--unit', ''], unit],
    [['replay', SQLITE, '--unit', '1073741825'], unit],
    [['replay', SQLITE, '--capacity', '0'], capacity],
    [['replay', SQLITE, '--capacity', '0k'], capacity],
    [['replay', SQLITE, '--capacity', '8x'], capacity],
    [['replay', SQLITE, '--capacity', 'm'], capacity],
    [['replay', SQLITE, '--capacity', '-8'], capacity],
    [['replay', SQLITE, '--capacity', '2g'], capacity],
    [['replay', SQLITE, '--capacity', '1025m'], capacity],
    [['map', SQLITE, '--at', '-1'], /--at.*must be an integer of at least 0/],
    [['map', SQLITE, '--at', 'end'], /--at.*must be an integer of at least 0/],
    [
      ['map', SQLITE, '--at', '169719'],
      /--at 169719 is past the end of the trace, which has 169718 operations/,
    ],
    [
      ['replay', SQLITE, '--format', 'gzip'],
      /--format.*must be one of int32, mtrace, valgrind, ltrace, heaptrack\./,
    ],
    [['map', SQLITE, '--format', 'mtrace'], /line 1: holds NUL bytes/],
    [['advise'], /missing required argument 'file'/],
    [['advise', SQLITE, '--unit', '16'], /unknown option '--unit'/],
    [['advise', SQLITE, '--min-unit', '4'], minUnit],
    [['advise', SQLITE, '--min-unit', '24'], minUnit],
    [['advise', SQLITE, '--min-unit', '8192'], minUnit],
    [['advise', SQLITE, '--min-unit', '0x10'], minUnit],
    [['advise', 'no-such-file'], /no-such-file: no such file or directory/],
    [['replay', 'no-such-file'], /no-such-file: no such file or directory/],
    [['map', 'no-such-file'], /no-such-file: no such file or directory/],
    [['replay', 'data'], /data: illegal operation on a directory/],
    [['replay', 'tsconfig.json'], /tsconfig.json: line 1: not a line of mtrace: "\{"/],
    [
      ['replay', SQLITE, '--html', 'no-such-folder/report.html'],
      /no-such-folder\/report.html: no such file or directory/,
    ],
  ])('%s is bad usage or input: status 2 and one line', async (argv, message) => {
    const { status, stdout, stderr } = await buddy(argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toMatch(message);
  });

  test.each([
    ['bad.mtrace', 'line 3: not a line of mtrace'],
    ['empty', 'the file is empty'],
  ])('the file %s is refused with the reason', async (name, message) => {
    const { status, stderr } = await buddy(['replay', file(name)]);
    expect(status).toBe(2);
    expect(stderr).toContain(`error: ${file(name)}: ${message}`);
  });
});

describe('buddy replay', () => {
  test('prints the figures', async () => {
    const { status, stdout, stderr } = await buddy(['replay', SQLITE, '--capacity', '8m']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines).toContain('operations      169,718 (84,867 allocations, 84,851 frees)');
    expect(lines).toContain('arena           8,388,608 units of 16 B (128 MiB)');
    expect(lines).toContain('peak live       6,455,501 bytes (6.16 MiB)');
    expect(lines).toContain('peak used       766,551 units (11.7 MiB, 9.1 %)');
    expect(lines).toContain('failures        none');
    expect(lines).toContain('placement hash  4050772520');
    expect(stdout).toMatch(/speed {11}\d+\.\d ns\/op/);
    expect(stdout).toMatch(/│ internal +│ +47\.\d % │ +48\.0 % │ +18\.5 % │/);
    expect(stdout).toMatch(/│ external +│/);
    expect(stdout).toMatch(/live {6}[▁▂▃▄▅▆▇█]{48} 0 … 6\.16 MiB/);
    expect(stdout).toMatch(/│ +16 B │ +26,820 │ 31\.6 % │/);
  });

  test('prints everything about a small trace', async () => {
    const { stdout } = await buddy(['replay', file('small.tr')]);
    expect(stdout.replace(/[\d.]+ ns/, '? ns')).toMatchInlineSnapshot(`
      "operations      7 (4 allocations, 3 frees)
      speed           ? ns/op
      arena           8 units of 16 B (128 B)
      peak live       86 bytes (86 B)
      peak used       8 units (128 B, 100.0 %)
      failures        none
      placement hash  2019

      ┌───────────────┬────────────────┬─────────┬────────────┐
      │ fragmentation │ at the fullest │ highest │ at the end │
      ├───────────────┼────────────────┼─────────┼────────────┤
      │ internal      │         32.8 % │  93.8 % │     93.8 % │
      │ external      │          0.0 % │  42.9 % │     42.9 % │
      └───────────────┴────────────────┴─────────┴────────────┘

      over time
      live      ▂▄▄█▇▅▁ 0 … 86 B
      internal  ▄▃▄▃▄▄█ 0 … 100 %
      external  ▃▂▁▁▁▃▄ 0 … 100 %

      ┌───────┬─────────────┬────────┬────────┬──────────────────────────┐
      │ block │ allocations │  share │ unused │                          │
      ├───────┼─────────────┼────────┼────────┼──────────────────────────┤
      │  16 B │           2 │ 50.0 % │ 46.9 % │ ████████████████████████ │
      │  32 B │           1 │ 25.0 % │ 37.5 % │ ████████████             │
      │  64 B │           1 │ 25.0 % │ 23.4 % │ ████████████             │
      └───────┴─────────────┴────────┴────────┴──────────────────────────┘

      memory at the fullest, after 4 operations
      0 ████████
      · empty   ░ up to a third   ▒ up to two thirds   ▓ more   █ full
      "
    `);
  });

  test('takes unit and capacity', async () => {
    const { status, stdout } = await buddy([
      'replay',
      file('small.tr'),
      '--unit',
      '1024',
      '--capacity',
      '1K',
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain('arena           1,024 units of 1 KiB (1 MiB)');
  });

  test('gives sizes in the multiple that suits them', async () => {
    const arena = async (unit: string, capacity: string): Promise<string | undefined> => {
      const { stdout } = await buddy(['map', file('small.tr'), '--unit', unit, '--capacity', capacity]);
      return /^arena +(.*)$/m.exec(stdout)?.[1];
    };
    expect(await arena('1', '1023')).toBe('1,023 units of 1 B (1023 B)');
    expect(await arena('1', '1025')).toBe('1,025 units of 1 B (1 KiB)');
    expect(await arena('1000', '1')).toBe('1 unit of 1000 B (1000 B)');
    expect(await arena('1073741824', '1k')).toBe('1,024 units of 1 GiB (1 TiB)');
  });

  test('a trace of which nothing fits has figures, too', async () => {
    const { status, stdout } = await buddy(['replay', '-', '--capacity', '1'], {
      stdin: [Buffer.from('+ 0x10 0x40\n')],
    });
    expect(status).toBe(1);
    expect(stdout).toContain('peak live       0 bytes (0 B)');
    expect(stdout).toContain('live      ▁ 0 … 0 B');
  });

  test('a trace that does not fit has status 1 and says so', async () => {
    const { status, stdout, stderr } = await buddy(['replay', file('small.tr'), '--capacity', '2']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('failures        3 allocations found no room');
    expect((await buddy(['replay', file('small.tr'), '--capacity', '2', '--json'])).status).toBe(1);
  });

  test('reads standard input', async () => {
    const packed = readFileSync(SQLITE);
    const stdin = [packed.subarray(0, 1000), packed.subarray(1000)];
    expect((await buddy(['replay', '-'], { stdin })).stdout).toContain('placement hash');
    expect(await buddy(['replay', '-'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'error: -: the file is empty\n',
    });
  });

  test('says what an mtrace recording missed', async () => {
    const { stdout } = await buddy(['replay', file('text.mtrace')]);
    expect(stdout).toContain('operations      4 (2 allocations, 2 frees)\n');
    expect(stdout).toContain('1 free of unknown addresses, skipped\n');
    expect(stdout).toContain('1 free missing, added\n');
  });

  test('--json prints the report as one document and nothing else', async () => {
    const { status, stdout, stderr } = await buddy(['replay', file('small.tr'), '--json', '--capacity', '8']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const report = JSON.parse(stdout) as ReplayReport & { file: string };
    expect(Object.keys(report).sort()).toEqual([
      'allocations',
      'capacity',
      'cutOffLines',
      'failures',
      'file',
      'format',
      'frees',
      'impliedFrees',
      'nsPerOperation',
      'operations',
      'oversizedRequests',
      'peakLiveBytes',
      'peakUsedUnits',
      'placementHash',
      'refusedRequests',
      'samples',
      'sizes',
      'skippedFrees',
      'unit',
    ]);
    expect(report).toMatchObject({
      file: file('small.tr'),
      unit: 16,
      capacity: 8,
      operations: 7,
      peakLiveBytes: 86,
    });
    expect(report.samples[3]).toEqual({
      operations: 4,
      liveBlocks: 4,
      liveBytes: 86,
      usedUnits: 8,
      largestFree: 0,
      internalFragmentation: 1 - 86 / 128,
      externalFragmentation: 0,
      map: [1, 1, 1, 1, 1, 1, 1, 1],
    });
  });
});

describe('buddy replay --on', () => {
  const ALL = 'buddy,ranges,heap,shared';

  test('shows allocators side by side, each at the fullest moment, and says which to take', async () => {
    const { status, stdout, stderr } = await buddy(['replay', SQLITE, '--on', 'buddy,heap']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('fullest         after 166,705 operations: 6.16 MiB live\n');
    expect(stdout).toContain('first fit       6.73 MiB, with headers of 8 bytes\n');
    expect(stdout).toMatch(/│ blocks of the buddy │ 11\.9 MiB │ 209 KiB │ +1\.93 │ +1\.77 │ +\d+ │/);
    expect(stdout).toMatch(/│ Heap +│ 6\.\d+ MiB │ \d+ KiB │ +1\.\d\d │ +1\.0\d │ +\d+ │/);
    const [, buddies, slabs] =
      /blocks of the buddy: 1\.77 .* not suit\n([^H]*)\nHeap: .* suits well\n([^e]*)\n/s.exec(stdout) ?? [
        '',
        '',
        '',
      ];
    // A cell is 64 KiB in both maps.
    expect(buddies).toMatch(/^ {2}0 B .{64}\n4 MiB .{64}\n8 MiB ▒{59}░\n$/m);
    expect(slabs.split('\n')[0]).toMatch(/^ {2}0 B ▒▓{63}$/);
    expect(stdout).toMatch(/\nTake Heap: 6\.\d+ MiB, 1\.0\d times first fit\. buddy advise says more\.\n$/);
  });

  test('takes one allocator, and tells nothing of taking another', async () => {
    const { status, stdout } = await buddy(['replay', file('small.tr'), '--on', 'shared']);
    expect(status).toBe(0);
    expect(stdout).toContain('SharedHeap, one worker: ');
    expect(stdout).not.toContain('Take ');
    const alone = await buddy(['replay', file('small.tr'), '--on', 'buddy']);
    expect(alone.stdout).toContain('placement hash  2019');
  });

  test('takes blocks if they take hardly more', async () => {
    const { stdout } = await buddy(['replay', 'data/gcc.tr.gz', '--on', 'ranges,buddy']);
    expect(stdout).toMatch(/\nTake blocks of the buddy: /);
  });

  test('--json prints the figures of each', async () => {
    const { stdout } = await buddy(['replay', file('small.tr'), '--on', ALL, '--json', '--unit', '32']);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      format: 'int32',
      operations: 7,
      allocations: 4,
      frees: 3,
      skippedFrees: 0,
    });
    expect(document.peak).toEqual({ operations: 4, liveBytes: 86 });
    // Blocks of 8 and 16 bytes with headers: 32 + 32 + 16 + 64.
    expect(document.firstFitBytes).toBe(144);
    expect(document.contests.map(({ name }: { name: string }) => name)).toEqual(ALL.split(','));
    const [blocks, exact] = document.contests;
    expect(blocks).toMatchObject({ unit: 32, memoryBytes: 192, failures: 0 });
    // 20, 16, 1 and 49 bytes take five units of 32.
    expect(exact).toMatchObject({ unit: 32, memoryBytes: 160, failures: 0 });
    for (const { memoryBytes, stateBytes, totalBytes, ratio, nsPerOperation, atPeak } of document.contests) {
      expect(totalBytes).toBe(memoryBytes + stateBytes);
      expect(ratio).toBe(totalBytes / 144);
      expect(nsPerOperation).toBeGreaterThan(0);
      expect(atPeak).toBe(undefined);
    }
  });

  test('a trace that does not fit has status 1, and says where', async () => {
    const ops = Int32Array.from({ length: 4 }, () => 2 ** 31 - 1);
    writeFileSync(file('large.tr'), encodeTrace(traceFromOps(ops)));
    const { status, stdout } = await buddy([
      'replay',
      file('large.tr'),
      '--on',
      'heap,buddy',
      '--unit',
      '4096',
    ]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/│ Heap +│ no room │ +│/);
    expect(stdout).toContain('Heap: 3 allocations found no room\n');
    expect(stdout).toContain('\nTake blocks of the buddy: 8 GiB, ');
    const alone = await buddy(['replay', file('large.tr'), '--on', 'heap,shared', '--unit', '4096']);
    expect(alone.stdout).toMatch(/\nNone of them has room for the trace\.\n$/);
    const { stdout: advised } = await buddy(['advise', file('large.tr'), '--min-unit', '4096']);
    expect(advised).toContain('For memory, take blocks: 8 GiB. A Heap has no more than 4 GiB.');
  });

  const names = /--on.*must be one or several of buddy,ranges,heap,shared/;
  test.each<[string[], RegExp]>([
    [['--on', 'first'], names],
    [['--on', 'heap,'], names],
    [['--on', 'heap,heap'], names],
    [['--on', ''], names],
    [['--on', 'heap', '--capacity', '8m'], /--capacity and --html are for --on buddy alone/],
    [['--on', 'buddy,heap', '--html', 'report.html'], /--capacity and --html are for --on buddy alone/],
    [['--on', 'heap', '--unit', '24'], /unit must be a power of two from 8 to 65536, not 24/],
  ])('%s is bad usage', async (argv, message) => {
    const { status, stdout, stderr } = await buddy(['replay', SQLITE, ...argv]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('the allocators that buddy advise compares', () => {
  test.each([
    ['sqlite', 'heap', 'ranges'],
    ['gcc', 'buddy', 'buddy'],
  ])('%s: %s for memory, %s for offsets', async (name, memory, offsets) => {
    const { stdout } = await buddy(['advise', `data/${name}.tr.gz`, '--json']);
    const { comparison, firstFitBytes, recommended } = JSON.parse(stdout) as Advice & {
      comparison: Comparison;
    };
    expect(comparison.take).toEqual({ memory, offsets });
    const [blocks, ranges, slabs, shared] = comparison.candidates;
    expect(comparison.candidates.map((each) => each.name)).toEqual(['buddy', 'ranges', 'heap', 'shared']);
    expect(blocks).toMatchObject({ unit: recommended.unit, totalBytes: recommended.smallest.totalBytes });
    for (const each of comparison.candidates) {
      expect(each.failures).toBe(0);
      expect(each.ratio).toBe(each.totalBytes / firstFitBytes);
    }
    for (const near of [ranges, slabs]) expect(near.ratio).toBeLessThan(1.1);
    expect(shared.ratio).toBeGreaterThan(1);
  });
});

describe('buddy map', () => {
  test('shows the arena at the end', async () => {
    const { status, stdout, stderr } = await buddy(['map', file('small.tr'), '--capacity', '200']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatchInlineSnapshot(`
      "operations      7 of 7
      arena           200 units of 16 B (3.13 KiB)
      used            1 unit (0.5 %) in 1 block
      largest free    64 units (external fragmentation 67.8 %)
      failures        none

        0 ···█····························································
       64 ································································
      128 ································································
      192 ········
      · empty   ░ up to a third   ▒ up to two thirds   ▓ more   █ full
      "
    `);
  });

  test('shows it after any operation', async () => {
    const after = async (at: string): Promise<string | undefined> => {
      const { stdout } = await buddy(['map', file('small.tr'), '--at', at]);
      return /^0 (.*)$/m.exec(stdout)?.[1];
    };
    expect(await Promise.all(['0', '1', '2', '4', '5'].map(after))).toEqual([
      '········',
      '██······',
      '███·····',
      '████████',
      '██·█████',
    ]);
  });

  test('has a density for every fullness', async () => {
    // 64 blocks of one unit, of which some stay: all, 1, 4 and 9 of the first tens.
    const stays = (unit: number): boolean =>
      unit < 10 || unit === 10 || (unit > 19 && unit < 24) || (unit > 29 && unit < 39);
    const units = Array.from({ length: 64 }, (_, unit) => unit);
    const ops = Int32Array.from([
      ...units.map(() => 1),
      ...units.filter((unit) => !stays(unit)).map((unit) => ~unit),
    ]);
    writeFileSync(file('densities.tr'), encodeTrace(traceFromOps(ops)));
    const { stdout } = await buddy(['map', file('densities.tr'), '--unit', '1', '--capacity', '2560'], {
      terminal: 21,
      env: { NO_COLOR: '1' },
    });
    expect(stdout.split('\n').find((line) => line.startsWith('   0 '))).toBe('   0 █░▒▓············');
  });

  test('is as wide as the terminal allows, in powers of two', async () => {
    const widths = await Promise.all(
      [1, 20, 80, 200, 1000].map(async (terminal) => {
        const { stdout } = await buddy(['map', SQLITE], { terminal, env: { NO_COLOR: '1' } });
        return /^ *0 (.*)$/m.exec(stdout)?.[1].length;
      }),
    );
    expect(widths).toEqual([1, 8, 64, 128, 256]);
  });

  test('--words shows the words of the state instead of the map', async () => {
    const argv = ['map', file('small.tr'), '--capacity', '64', '--at', '4'];
    const { status, stdout, stderr } = await buddy([...argv, '--words']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [figures, words] = stdout.split(/\n\n(.*)/s);
    const [sameFigures, map] = (await buddy(argv)).stdout.split(/\n\n(.*)/s);
    expect(figures).toBe(sameFigures);
    expect(words).not.toContain(map.slice(0, 10));
    // Live blocks of 2, 1, 1 and 4 units, in order.
    const { allocator } = arenaAfter(traceFromOps(Int32Array.of(20, 16, 0, 49)), { capacity: 64 });
    expect(words).toBe(`${dump(new Int32Array(allocator.state))}\n`);
    for (const row of [/\blevel 0\b/, /\bused\b/, /\bcont\b/]) expect(words).toMatch(row);
    expect((await buddy(['map', file('small.tr'), '--capacity', '2', '--words'])).status).toBe(1);
  });

  test('a trace that did not fit up to there has status 1', async () => {
    expect((await buddy(['map', file('small.tr'), '--capacity', '4', '--at', '3'])).status).toBe(0);
    const { status, stdout } = await buddy(['map', file('small.tr'), '--capacity', '4', '--at', '4']);
    expect(status).toBe(1);
    expect(stdout).toContain('failures        1 allocation found no room');
  });
});

describe('buddy advise', () => {
  const advice = async (name: string, ops: number[], surroundings: Surroundings = {}): Promise<string> => {
    writeFileSync(file(name), encodeTrace(traceFromOps(Int32Array.from(ops))));
    const { status, stdout, stderr } = await buddy(['advise', file(name)], surroundings);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };

  test('prints what docs/advise.md shows', async () => {
    const { status, stdout, stderr } = await buddy(['advise', SQLITE]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const shown = /^```text\n(The buddy system .*?)^```$/ms.exec(readFileSync('docs/advise.md', 'utf8'))?.[1];
    expect(stdout).toBe(shown);
  });

  test('has little to say about what suits', async () => {
    expect(await advice('suits.tr', [4096, 4096, 8192])).toMatchInlineSnapshot(`
      "The buddy system suits well.
      Take blocks.

      operations      3
      peak live       16,384 bytes (16 KiB)
      unit            4 KiB
      capacity        4 units (16 KiB, and 484 B of state)
      as 2^k          4 units (16 KiB, and 484 B of state)

      why
      - Arena and state take 16.5 KiB: 1.03 times the 16 KiB of a first-fit heap, 1.03
        times the peak of the live bytes.
      - Nothing is lost to rounding at the peak.

      which to take
      - For memory, take blocks: 16.5 KiB, 0.80 times the bytes of a Heap, and every
        call takes bounded time.
      - For offsets, as in a file or a GPU buffer, take blocks: 16.5 KiB, 0.99 times
        the bytes of ranges, and free wants no sizes.

      ┌────────────────────────┬───────┬──────────┬──────────┬────────┬─────────────┐
      │ allocator              │  unit │    takes │    state │ / live │ / first fit │
      ├────────────────────────┼───────┼──────────┼──────────┼────────┼─────────────┤
      │ → blocks of the buddy  │ 4 KiB │ 16.5 KiB │    484 B │   1.03 │        1.03 │
      │ ranges                 │ 4 KiB │ 16.6 KiB │    632 B │   1.04 │        1.04 │
      │ Heap                   │  16 B │ 20.7 KiB │ 3.68 KiB │   1.29 │        1.29 │
      │ SharedHeap, one worker │  16 B │   24 KiB │      0 B │   1.50 │        1.50 │
      │ first fit              │  16 B │   16 KiB │          │   1.00 │        1.00 │
      └────────────────────────┴───────┴──────────┴──────────┴────────┴─────────────┘

      units
      ┌─────────┬──────────┬────────┬──────────┬────────┬───────┬───────┬────────┐
      │    unit │ capacity │  arena │    state │ as 2^k │  lost │  mean │ / live │
      ├─────────┼──────────┼────────┼──────────┼────────┼───────┼───────┼────────┤
      │     8 B │    2,048 │ 16 KiB │ 1.08 KiB │   2^11 │ 0.0 % │ 0.0 % │   1.07 │
      │    16 B │    1,024 │ 16 KiB │    804 B │   2^10 │ 0.0 % │ 0.0 % │   1.05 │
      │    32 B │      512 │ 16 KiB │    640 B │    2^9 │ 0.0 % │ 0.0 % │   1.04 │
      │    64 B │      256 │ 16 KiB │    576 B │    2^8 │ 0.0 % │ 0.0 % │   1.04 │
      │   128 B │      128 │ 16 KiB │    544 B │    2^7 │ 0.0 % │ 0.0 % │   1.03 │
      │   256 B │       64 │ 16 KiB │    528 B │    2^6 │ 0.0 % │ 0.0 % │   1.03 │
      │   512 B │       32 │ 16 KiB │    520 B │    2^5 │ 0.0 % │ 0.0 % │   1.03 │
      │   1 KiB │       16 │ 16 KiB │    484 B │    2^4 │ 0.0 % │ 0.0 % │   1.03 │
      │   2 KiB │        8 │ 16 KiB │    484 B │    2^3 │ 0.0 % │ 0.0 % │   1.03 │
      │ → 4 KiB │        4 │ 16 KiB │    484 B │    2^2 │ 0.0 % │ 0.0 % │   1.03 │
      └─────────┴──────────┴────────┴──────────┴────────┴───────┴───────┴────────┘
      "
    `);
  });

  test('names gaps and state', async () => {
    const small = Array.from({ length: 40 }, () => 24);
    const frees = small
      .map((_, id) => ~id)
      .slice(4)
      .filter((_, i) => i % 2 === 0);
    expect(
      await advice('gaps.tr', [...small, ...frees, ...small.slice(20).map(() => 60)]),
    ).toMatchInlineSnapshot(`
      "The buddy system suits well.
      Take blocks.

      operations      78
      peak live       1,728 bytes (1.69 KiB)
      unit            32 B
      capacity        80 units (2.5 KiB, and 536 B of state)
      as 2^k          128 units (4 KiB, and 544 B of state)

      why
      - Arena and state take 3.02 KiB: 1.07 times the 2.81 KiB of a first-fit heap,
        1.79 times the peak of the live bytes.
      - 12.9 % of the bytes in blocks at the peak are lost to rounding: 256 B.
      - Requests for 24 bytes lose 68.8 % of that: each takes 32.
      - Requests for 60 bytes lose 31.3 % of that: each takes 64.
      - Gaps between blocks are 18.6 % of arena and state, even at the peak: 576 B.
      - The allocator's state is 17.3 % of arena and state: 536 B.

      which to take
      - For memory, take blocks: 3.02 KiB, 0.38 times the bytes of a Heap, and every
        call takes bounded time.
      - For offsets, as in a file or a GPU buffer, take blocks: 3.02 KiB, 0.99 times
        the bytes of ranges, and free wants no sizes.

      ┌────────────────────────┬──────┬──────────┬──────────┬────────┬─────────────┐
      │ allocator              │ unit │    takes │    state │ / live │ / first fit │
      ├────────────────────────┼──────┼──────────┼──────────┼────────┼─────────────┤
      │ → blocks of the buddy  │ 32 B │ 3.02 KiB │    536 B │   1.79 │        1.07 │
      │ ranges                 │  8 B │ 3.05 KiB │    888 B │   1.81 │        1.09 │
      │ Heap                   │ 16 B │ 7.93 KiB │ 3.68 KiB │   4.70 │        2.82 │
      │ SharedHeap, one worker │ 16 B │ 5.75 KiB │      0 B │   3.41 │        2.04 │
      │ first fit              │ 16 B │ 2.81 KiB │          │   1.67 │        1.00 │
      └────────────────────────┴──────┴──────────┴──────────┴────────┴─────────────┘

      units
      ┌────────┬──────────┬──────────┬───────┬────────┬────────┬────────┬────────┐
      │   unit │ capacity │    arena │ state │ as 2^k │   lost │   mean │ / live │
      ├────────┼──────────┼──────────┼───────┼────────┼────────┼────────┼────────┤
      │    8 B │      320 │  2.5 KiB │ 592 B │    2^9 │ 12.9 % │ 21.5 % │   1.82 │
      │   16 B │      160 │  2.5 KiB │ 552 B │    2^8 │ 12.9 % │ 21.5 % │   1.80 │
      │ → 32 B │       80 │  2.5 KiB │ 536 B │    2^7 │ 12.9 % │ 21.5 % │   1.79 │
      │   64 B │       42 │ 2.63 KiB │ 528 B │    2^6 │ 35.7 % │ 56.6 % │   1.86 │
      │  128 B │       42 │ 5.25 KiB │ 528 B │    2^6 │ 67.9 % │ 78.3 % │   3.42 │
      │  256 B │       42 │ 10.5 KiB │ 528 B │    2^6 │ 83.9 % │ 89.2 % │   6.53 │
      │  512 B │       42 │   21 KiB │ 528 B │    2^6 │ 92.0 % │ 94.6 % │  12.75 │
      │  1 KiB │       42 │   42 KiB │ 528 B │    2^6 │ 96.0 % │ 97.3 % │  25.19 │
      │  2 KiB │       42 │   84 KiB │ 528 B │    2^6 │ 98.0 % │ 98.6 % │  50.08 │
      │  4 KiB │       42 │  168 KiB │ 528 B │    2^6 │ 99.0 % │ 99.3 % │  99.86 │
      └────────┴──────────┴──────────┴───────┴────────┴────────┴────────┴────────┘

      sizes
      ┌───────┬───────┬─────────────┬─────────┬───────┬────────┬────────┐
      │ bytes │ takes │ allocations │ at peak │  lost │  share │   mean │
      ├───────┼───────┼─────────────┼─────────┼───────┼────────┼────────┤
      │    24 │    32 │          40 │      22 │ 176 B │ 68.8 % │ 94.5 % │
      │    60 │    64 │          20 │      20 │  80 B │ 31.3 % │  5.5 % │
      └───────┴───────┴─────────────┴─────────┴───────┴────────┴────────┘
      "
    `);
  });

  test('says how to split', async () => {
    expect(await advice('large.tr', [5_000_000])).toContain(
      '- 1 block of 5,000,000 bytes: ask for two parts, which take 4,194,304 and\n' +
        '  1,048,576 instead of 8,388,608; saves 3 MiB of blocks.\n',
    );
  });

  test('keeps its sentences within the terminal', async () => {
    for (const width of [1, 20, 40, 120]) {
      const stdout = await advice('large.tr', [5_000_000], {
        terminal: width,
        env: { NO_COLOR: '1' },
      });
      const sentences = stdout.split('\n').filter((line) => /^- |^ {2}\w/.test(line));
      // No word is broken, so a terminal of one character gets lines of one word.
      const longest = Math.max(...sentences.map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(Math.max(width, 14));
      expect(longest).toBeGreaterThan(width - 14);
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('1 block of 5,000,000 bytes: ask for two parts');
    }
  });

  test('takes the smallest unit, and standard input', async () => {
    const { status, stdout } = await buddy(['advise', '-', '--min-unit', '1024'], {
      stdin: [readFileSync(file('small.tr'))],
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^unit {12}1 KiB$/m);
    expect(stdout).not.toContain('512 B');
  });

  test('--json prints the advice as one document and nothing else', async () => {
    const { status, stdout, stderr } = await buddy(['advise', SQLITE, '--json', '--min-unit', '256']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const document = JSON.parse(stdout) as Advice & { file: string };
    expect(Object.keys(document)).toEqual([
      'file',
      'format',
      'operations',
      'allocations',
      'frees',
      'skippedFrees',
      'impliedFrees',
      'refusedRequests',
      'oversizedRequests',
      'cutOffLines',
      'verdict',
      'reasons',
      'remedies',
      'remedied',
      'recommended',
      'peakLiveBytes',
      'firstFitBytes',
      'units',
      'sizes',
      'comparison',
    ]);
    expect(document).toMatchObject({ file: SQLITE, verdict: 'does not suit', recommended: { unit: 256 } });
    expect(Object.keys(document.recommended)).toEqual([
      'unit',
      'smallest',
      'powerOfTwo',
      'peakUsedUnits',
      'peakAt',
      'liveBytesAtPeak',
      'internalAtPeak',
      'internalOverAll',
    ]);
    expect(document.units.length).toBe(5);
  });

  test('a trace that no arena holds is an error', async () => {
    const ops = Array.from({ length: 2049 }, () => 2 ** 31 - 1);
    writeFileSync(file('vast.tr'), encodeTrace(traceFromOps(Int32Array.from(ops))));
    expect(await buddy(['advise', file('vast.tr'), '--format', 'int32'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'error: the trace needs more than 2^30 units of 4096 bytes\n',
    });
  });

  test('shows a progress bar when the work is long, and colours', async () => {
    const { stdout, stderr } = await buddy(['advise', 'data/lua.tr.gz'], { terminal: 80 });
    expect(stderr).toMatch(/trying units .*\d+%/);
    expect(stdout).not.toContain('trying units');
    expect(stdout).toContain('\u001b[');
    expect(stripVTControlCharacters(stdout)).toMatch(/^The buddy system suits well\.\n/);
  });
});

describe('terminals', () => {
  const ESCAPE = '\u001b';

  test('get colours', async () => {
    for (const command of ['replay', 'map']) {
      const { stdout } = await buddy([command, SQLITE], { terminal: 80 });
      expect(stdout).toContain(`${ESCAPE}[`);
    }
  });

  test.each<[string, Surroundings]>([
    ['NO_COLOR', { terminal: 80, env: { NO_COLOR: '1' } }],
    ['a dumb terminal', { terminal: 80, env: { TERM: 'dumb' } }],
    ['a pipe', {}],
  ])('%s: no colours, but the same text', async (_, surroundings) => {
    const colored = await buddy(['map', SQLITE, '--at', '160000'], { terminal: 80 });
    const { stdout } = await buddy(['map', SQLITE, '--at', '160000'], surroundings);
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).toContain('▓');
    expect(stdout).toBe(stripVTControlCharacters(colored.stdout));
  });

  test('an empty NO_COLOR means nothing', async () => {
    expect((await buddy(['map', SQLITE], { terminal: 80, env: { NO_COLOR: '' } })).stdout).toContain(ESCAPE);
  });

  test('see a progress bar when the work is long', async () => {
    const { stderr, stdout } = await buddy(['replay', 'data/lua.tr.gz'], { terminal: 80 });
    expect(stderr).toContain('finding a capacity');
    expect(stderr).toMatch(/replaying .*\d+%/);
    expect(stdout).not.toContain('replaying');
  });

  test('are left as they were, even if the program is killed meanwhile', async () => {
    // The case sigint-terminal: no switch of the terminal, such as its line wrapping, which would have to be undone.
    const { stderr } = await buddy(['advise', 'data/lua.tr.gz'], { terminal: 80 });
    expect(stderr).toContain('%');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
    expect(stderr).not.toMatch(/\u001b\[[?>=][\d;]*[a-zA-Z]/);
  });

  test('see none when it is short, and a pipe never does', async () => {
    expect((await buddy(['replay', SQLITE], { terminal: 80 })).stderr).toBe('');
    expect((await buddy(['replay', 'data/lua.tr.gz'])).stderr).toBe('');
  });
});

describe('the program', () => {
  test('runs with the arguments of its process and sets its exit status', async () => {
    const { argv, exitCode, stdout } = process;
    const before = stdout.listeners('error');
    const write = vi.spyOn(stdout, 'write').mockReturnValue(true);
    try {
      process.argv = ['node', 'buddy', '--version'];
      await import('../../src/cli/main.ts');
      expect(write).toHaveBeenCalledWith(`${manifest.version}\n`);
      expect(process.exitCode).toBe(0);
      // A reader that left early is no error, whatever else stops the output is.
      expect(() => stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))).not.toThrow();
      const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
      const complain = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      stdout.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }));
      expect(complain).toHaveBeenCalledWith('error: standard output: full\n');
      expect(exit).toHaveBeenCalledWith(2);
      exit.mockRestore();
      complain.mockRestore();
    } finally {
      write.mockRestore();
      for (const listener of stdout.listeners('error')) {
        if (!before.includes(listener)) stdout.off('error', listener as () => void);
      }
      process.argv = argv;
      process.exitCode = exitCode;
    }
  });
});

describe('buddy prefixes', () => {
  const pool = (...argv: string[]) => buddy(['prefixes', '10.0.0.0/8', '--longest=28', ...argv]);

  test('says how full the pool is', async () => {
    writeFileSync(file('used'), '# in use\n\n10.0.0.7 # the router\r\n10.128.0.0/9\n10.200.0.0/16\n');
    expect(await pool()).toEqual({
      status: 0,
      stdout: '10.0.0.0/8, up to /28: 0.0 % in use, in 0 blocks; the largest free prefix is a /8\n',
      stderr: '',
    });
    expect((await pool('--used', file('used'))).stdout).toBe(
      '10.0.0.0/8, up to /28: 50.0 % in use, in 2 blocks; the largest free prefix is a /10\n',
    );
    const stdin = [new TextEncoder().encode('10.0.0.0/8')];
    expect((await buddy(['prefixes', '10.0.0.0/8', '--longest=8', '--used=-'], { stdin })).stdout).toBe(
      '10.0.0.0/8, up to /8: 100.0 % in use, in 1 block; nothing is free\n',
    );
  });

  test('prints free prefixes until there is no room', async () => {
    const argv = ['--used', file('used'), '--alloc', '24,28,9'];
    expect(await pool(...argv)).toEqual({
      status: 1,
      stdout: '10.0.1.0/24\n10.0.0.16/28\n',
      stderr: 'no room for a /9 in 10.0.0.0/8\n',
    });
    expect((await pool('--alloc=8')).status).toBe(0);
  });

  test.each([
    [[], /required option '--longest/],
    [['--longest=x'], /must be an integer from 0 to 128/],
    [['--longest=7'], /longest must be an integer from 8 to 32/],
    [['--longest=28', '--alloc=24,'], /must be an integer from 0 to 128/],
    [['--longest=28', '--alloc=29'], /length must be an integer from 8 to 28/],
    [['--longest=28', '--used=no such'], /no such: no such file or directory/],
  ])('takes %j for bad usage', async (argv, message) => {
    const { status, stderr } = await buddy(['prefixes', '10.0.0.0/8', ...argv]);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('names the line that is wrong', async () => {
    writeFileSync(file('wrong'), '10.0.0.0/24\n11.0.0.0/24\n');
    expect((await pool('--used', file('wrong'))).stderr).toBe(
      `error: ${file('wrong')}: line 2: 11.0.0.0/24 is not in the pool 10.0.0.0/8\n`,
    );
  });
});
