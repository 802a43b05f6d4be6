// All interleavings of small programs of the shared allocator, and the proof that the explorer finds mistakes.

import { describe, expect, test } from 'vitest';
import { ADOPTION_MUTANTS, AdoptionMutantSubject, memoryOf } from './adoption-mutants.ts';
import { Explorer } from './explore.ts';
import { MUTANTS, mutatedMemory } from './mutants.ts';
import { parseProgram, programsOf } from './program.ts';
import { exploreAtRandom } from './random.ts';
import { SharedSubject } from './shared.ts';
import { boundOf, programsIn, SHORT, subjectOf } from './suites.ts';
import { Idle, Toy, type ToyKind } from './toy.ts';
import { expectSound, violationOf } from './violation.ts';

describe('the explorer', () => {
  const explore = (kind: ToyKind, text: string) =>
    new Explorer(new Toy(kind, 2, 2)).exploreAndExplain(parseProgram(text));

  test('meets every state once', () => {
    const idle = new Explorer(new Idle());
    // A grid of 2 x 3 states with 7 steps between them, and one of 4 x 4 x 3.
    expect(idle.explore(parseProgram('a:1 | b:2'))).toEqual({
      states: 6,
      steps: 7,
      ends: 1,
      depth: 3,
      alone: 2,
      complete: true,
    });
    expect(idle.explore(parseProgram('a:1 b:2 | c:3 | d:2'))).toMatchObject({
      states: 48,
      depth: 8,
      alone: 3,
    });
    expect(idle.explore(parseProgram('a:9 | b:9'), { maxStates: 50 })).toMatchObject({
      states: 50,
      complete: false,
    });
    // Two workers race for one unit: one loses and tries again.
    expect(explore('right', 'a:0 | b:0')).toMatchObject({ ends: 2, depth: 6, alone: 3, complete: true });
  });

  test('kills in every state', () => {
    // Killed before its first, its second or its third access; at any of the other's three moments.
    expect(new Explorer(new Idle()).explore(parseProgram('~0 a:2 | b:2')).states).toBe(3 * 3 + 3);
  });

  test.each<[ToyKind, string, RegExp]>([
    ['store for cas', 'a:0 | b:0', /alloc returns 0, 1 units, while block . holds 0, 1 units/],
    ['lock', 'a:0 | b:0', /does not end/],
    ['gives up', 'a:0 | b:0', /finds no room, but 1 was free all the time/],
    ['forgets', 'p:0 ; -p | b:0', /1 units at 0 are lost/],
    ['asserts', 'a:0 | b:0', /alloc breaks: broken invariant: no other worker allocates/],
  ])('finds what is wrong with a toy allocator: %s', (kind, program, message) => {
    const violation = violationOf(() => explore(kind, program));
    expect(violation?.message).toMatch(message);
  });

  test('shows a schedule with no more preemptions than it takes', () => {
    expect(violationOf(() => explore('store for cas', 'a:0 | c:0'))?.schedule).toEqual([
      'program a:0 | c:0',
      '0 alloc(0) block a',
      '0   load bits: 0',
      '1 alloc(0) block c',
      '1   load bits: 0',
      '1   store bits: 1 and returns 0',
      '0   store bits: 1 and returns 0',
    ]);
  });

  test('enumerates the programs of a family, each once', () => {
    const texts = [...programsOf({ workers: 2, operations: 1, orders: [0, 1], before: 'p:0' })].map(
      (p) => p.text,
    );
    expect(texts.sort()).toEqual(
      ['a:0 | b:0', 'a:0 | b:1', 'a:1 | b:0', 'a:1 | b:1', 'a:0 | -p', 'a:1 | -p', 'a:0 | -a', 'a:1 | -a']
        .concat(['-p | b:0', '-p | b:1', '-b | b:0', '-b | b:1'])
        .map((text) => `p:0 ; ${text}`)
        .sort(),
    );
    const symmetric = [...programsOf({ workers: 2, operations: 1, orders: [0, 1] })].map((p) => p.text);
    expect(symmetric.sort()).toEqual(['a:0 | -a', 'a:0 | b:0', 'a:0 | b:1', 'a:1 | -a', 'a:1 | b:1']);
  });

  test('refuses a program that recovers a worker which goes on', () => {
    expect(() => parseProgram('a:0 | !0')).toThrow(/Worker 0 is recovered/);
    expect(() => parseProgram('p:0 | !0 ; a:0 |')).toThrow(/Worker 0 is recovered/);
    expect(parseProgram('p:0 ; | !0 *p').dead).toEqual([0]);
  });

  test.each(MUTANTS)('finds that $name', (mutant) => {
    const subject = new SharedSubject(16, 2, false);
    const explorer = new Explorer(subject);
    const program = parseProgram(mutant.program);
    expect(explorer.explore(program).complete).toBe(true);
    expect(
      violationOf(() => explorer.explore(program, { memory: mutatedMemory(subject, mutant) })),
    ).toBeDefined();
  });

  test.each(ADOPTION_MUTANTS)('finds that $name', (mutant) => {
    const program = parseProgram(mutant.program);
    const subject = new AdoptionMutantSubject(mutant);
    const right = new SharedSubject(subject.capacity, subject.workers, true);
    expectSound(() => expect(new Explorer(right).explore(program).complete).toBe(true));
    const memory = memoryOf(subject, mutant);
    expect(violationOf(() => new Explorer(subject).explore(program, { memory }))).toBeDefined();
  });
});

describe('the shared allocator, in all interleavings', () => {
  test.each(SHORT)('$name', (suite) => {
    const subject = subjectOf(suite);
    const explorer = new Explorer(subject);
    let states = 0;
    for (const program of programsIn(suite)) {
      expectSound(() => {
        const bound = boundOf(subject, program);
        states += explorer.exploreAndExplain(program, { bound, stale: suite.stale ?? false }).states;
      });
    }
    expect(states).toBeGreaterThan(1000);
  });
});

describe('the shared allocator, in schedules at random', () => {
  const orders = [0, 2, 3, 4, 5];

  test.each([32, 48, 144, 600])('%i units', (capacity) => {
    expectSound(() =>
      exploreAtRandom(new SharedSubject(capacity, 3, false), { seed: 1, runs: 100, operations: 40, orders }),
    );
  });

  test.each([32, 144])('%i units, a worker is killed', (capacity) => {
    expectSound(() =>
      exploreAtRandom(new SharedSubject(capacity, 3, true), {
        seed: 1,
        runs: 100,
        operations: 40,
        orders,
        killed: true,
      }),
    );
  });

  test.each(MUTANTS)('would find that $name', (mutant) => {
    const subject = new SharedSubject(32, 3, false);
    const memory = mutatedMemory(subject, mutant);
    const options = { seed: 1, runs: 500, operations: 40, orders, memory };
    expect(violationOf(() => exploreAtRandom(subject, options))).toBeDefined();
  });
});
