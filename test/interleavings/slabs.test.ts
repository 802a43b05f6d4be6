// All interleavings of small programs of the slabs of many workers, and the proof that the explorer finds mistakes there.

import { describe, expect, test } from 'vitest';
import { Explorer } from './explore.ts';
import { parseProgram } from './program.ts';
import { exploreAtRandom } from './random.ts';
import { SLAB_MUTANTS, SlabMutantSubject, slabMemoryOf } from './slab-mutants.ts';
import { SlabSubject } from './slab-subject.ts';
import { SHORT_SLABS, slabBoundOf, slabProgramsIn, slabSubjectOf } from './slab-suites.ts';
import { expectSound, violationOf } from './violation.ts';

describe('slabs of many workers, in all interleavings', () => {
  test.each(SHORT_SLABS)('$name', (suite) => {
    const subject = slabSubjectOf(suite);
    const explorer = new Explorer(subject);
    const { stale = false, preemptions } = suite;
    let states = 0;
    for (const program of slabProgramsIn(suite)) {
      expectSound(() => {
        const bound = slabBoundOf(subject, program);
        const limit = preemptions === undefined ? {} : { preemptions };
        states += explorer.exploreAndExplain(program, { bound, stale, ...limit }).states;
      });
    }
    expect(states).toBeGreaterThan(1000);
  });

  test.each(SLAB_MUTANTS)('the explorer finds that $name', (mutant) => {
    const program = parseProgram(mutant.program);
    const subject = new SlabMutantSubject(mutant);
    const { workers, tracked = false } = mutant;
    const right = new SlabSubject({ pages: 2, pageShift: 2, workers, tracked });
    expectSound(() => expect(new Explorer(right).explore(program).complete).toBe(true));
    const memory = slabMemoryOf(subject, mutant);
    expect(violationOf(() => new Explorer(subject).explore(program, { memory }))).toBeDefined();
  });
});

describe('slabs of many workers, in schedules at random', () => {
  const orders = [0, 0, 0, 1, 1, 2, 3];

  test.each([
    [4, false],
    [4, true],
    [16, false],
    [16, true],
  ])('%i pages, owners tracked: %s', (pages, tracked) => {
    const subject = new SlabSubject({ pages, pageShift: 2, workers: 3, tracked });
    const options = { seed: 1, runs: 60, operations: 40, orders };
    expectSound(() => exploreAtRandom(subject, options));
    expectSound(() => exploreAtRandom(subject, { ...options, killed: true }));
  });
});
