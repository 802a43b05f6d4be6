// The recorder for C, recorder/record.c, on a program with threads that forks, replaces itself and is killed.
// Case: mtrace-fork.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { readTrace, type Trace } from '../../src/trace.ts';

const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

/** Every thread allocates, frees and forks; then the program replaces itself twice and is killed. */
const PROGRAM = `
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *seed) {
  unsigned s = (unsigned)(size_t)seed;
  void *blocks[64] = { 0 };
  for (int i = 0; i < 5000; i++) {
    s = s * 1103515245 + 12345;
    void **block = &blocks[(s >> 16) & 63];
    size_t bytes = (s >> 8) & 4095;
    if (i % 4 == 0) *block = realloc(*block, bytes + 1);
    else free(*block), *block = NULL;
    if (i % 4 == 1) *block = malloc(bytes);
    if (i % 4 == 2) *block = calloc(3, bytes);
    if (i % 4 == 3 && posix_memalign(block, 64, bytes) != 0) abort();
    if (i % 2500 == 0) {
      pid_t child = fork();
      if (child == 0) free(malloc(10)), _exit(0);
      waitpid(child, NULL, 0);
    }
  }
  for (int i = 0; i < 64; i++) free(blocks[i]);
  return NULL;
}
int main(int argc, char **argv) {
  if (argc == 2) {
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) pthread_create(threads + i, NULL, work, (void *)(i + 1));
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 3; i < 1024; i++) close(i); // As daemons do.
    free(malloc(3000000000u));
    if (malloc(-1ul / 2) != NULL) abort();
    execl(argv[0], argv[0], "again", "again", NULL);
  }
  void *block = reallocarray(malloc(77), 20, 1000);
  if (block == NULL || write(1, "end", 3) != 3) abort();
  kill(getpid(), SIGKILL);
}
`;

describe.skipIf(!hasCompiler)('the recorder (needs cc on Linux)', () => {
  let folder = '';
  const files: Record<string, Trace> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'buddy-record-'));
    writeFileSync(join(folder, 'program.c'), PROGRAM);
    const cc = (...argv: string[]) => execFileSync('cc', argv, { cwd: folder, stdio: 'pipe' });
    cc(
      ...'-shared -fPIC -O2 -Wall -Wextra -Werror -o record.so'.split(' '),
      resolve('recorder/record.c'),
      '-ldl',
      '-pthread',
    );
    cc(...'-w -O0 -fno-builtin -D_GNU_SOURCE -o program program.c -pthread'.split(' '));
    const program = join(folder, 'program');
    const env = { LD_PRELOAD: join(folder, 'record.so'), BUDDY_RECORD: join(folder, 'trace') };
    const { signal, stdout, pid } = spawnSync(program, ['start'], {
      env,
      encoding: 'utf8',
      timeout: 60_000, // A lock that stays locked would hang it.
    });
    expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: 'end' });
    for (const name of readdirSync(folder).filter((each) => each.startsWith('trace.'))) {
      const trace = await readTrace(readFileSync(join(folder, name)));
      files[name.replace(`trace.${pid}`, 'first')] = trace;
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes a file for each process, and one more after exec', () => {
    const names = Object.keys(files).sort();
    expect(names.slice(0, 2)).toEqual(['first', 'first.1']);
    // Four threads fork twice each.
    expect(names.length).toBe(2 + 8);
  });

  it('writes every operation of all threads in order', () => {
    expect(files.first).toMatchObject({
      skippedFrees: 0,
      impliedFrees: 0,
      refusedRequests: 1,
      oversizedRequests: 1,
      cutOffLines: 0,
    });
    expect(files.first.ops.length).toBeGreaterThan(4 * 5000);
  });

  it('writes those of a child apart, without those of the parent', () => {
    for (const [name, { ops }] of Object.entries(files)) {
      if (!name.startsWith('first')) expect([...ops]).toEqual([10, ~0]);
    }
  });

  it('loses nothing when the program is killed', () => {
    const allocations = files['first.1'].ops.filter((op) => op >= 0);
    expect([...allocations.slice(-2)]).toEqual([77, 20_000]);
  });
});

it.runIf(!hasCompiler)('the recorder is not tested here: it needs cc on Linux', () => {});

it('the recorder is a file of the package', () => {
  expect(manifest.files).toContain('recorder');
});
