// Terminates workers of a shared arena at random moments, has others recover them, and checks that nothing is harmed
// or lost.

import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from './random.ts';
import { notEmpty } from './shared-churn.ts';
import { type Death, type LifeSetting, Lives, type TaggedBlock } from './shared-lives.ts';

export interface DeathTally {
  kills: number;
  /** Kills in a call, in a recovery, while attaching; and those after an announcement that was not ended. */
  inCall: number;
  inRecovery: number;
  inAttaching: number;
  announced: number;
  /** Recoveries that had to be tried again, because another worker was at work there. */
  incomplete: number;
  /** How often everything was stopped, checked and found sound. */
  verified: number;
  /** Untracked arenas: live units that no worker held, before they were taken back. */
  leakedUnits: number;
}

/** Kills between two checks of everything. */
const STRETCH = 5;

/** Attempts after which a recovery is taken to be impossible. */
const ATTEMPTS = 500;

/** The time of a recovery, at most, about. */
const RECOVERY_MS = 0.3;

/**
 * Everything that is wrong in a quiet arena in which the workers hold `held`. Takes back the blocks that may be lost.
 */
function verify(
  lives: Lives,
  { trackOwners }: LifeSetting,
  held: TaggedBlock[],
  tally: DeathTally,
): string[] {
  const { arena, data } = lives;
  const alive = lives.workerIds();
  // Workers that died before they could tell their ids.
  for (const workerId of arena.workerIds()) {
    if (!alive.has(workerId) && !arena.recover(workerId).complete)
      return [`worker ${workerId} is not recovered`];
  }
  const wrong: string[] = [];
  const live = new Map(
    [...arena.blocks()].flatMap(({ offset, size, free }) => (free ? [] : [[offset, size]])),
  );
  for (const { offset, size, tag } of held) {
    if (live.get(offset) !== size) wrong.push(`the block of ${size} at ${offset} is ${live.get(offset)} now`);
    live.delete(offset);
    const at = data.subarray(offset, offset + size).findIndex((found) => found !== tag);
    if (at >= 0) wrong.push(`unit ${offset + at} of the block at ${offset} is damaged`);
  }
  if (trackOwners) {
    for (const offset of lives.forsaken) if (live.delete(offset)) arena.free(offset);
    for (const [offset, size] of live) wrong.push(`${size} units at ${offset} are lost`);
  } else {
    for (const size of live.values()) tally.leakedUnits += size;
    arena.rebuild(held);
  }
  lives.forsaken.clear();
  const { usedUnits, liveBlocks, workers } = arena.stats();
  const units = held.reduce((sum, { size }) => sum + size, 0);
  if (usedUnits !== units || liveBlocks !== held.length) {
    wrong.push(`${usedUnits} units in ${liveBlocks} blocks are live; held are ${units} in ${held.length}`);
  }
  if (workers !== alive.size) wrong.push(`${workers} workers are attached; alive are ${alive.size}`);
  tally.verified++;
  return [...wrong, ...arena.check()];
}

/**
 * Resolves to a tally of `kills` deaths. Rejects if a survivor's block was harmed or, in a tracked arena, a unit
 * lost.
 */
export async function killing(
  setting: LifeSetting,
  kills: number,
  seed: number,
  progress?: (kills: number) => void,
): Promise<DeathTally> {
  const lives = new Lives(setting, seed);
  const random = new Random(seed);
  const { survivors } = setting;
  const tally: DeathTally = {
    ...{ kills: 0, inCall: 0, inRecovery: 0, inAttaching: 0, announced: 0 },
    ...{ incomplete: 0, verified: 0, leakedUnits: 0 },
  };
  const kill = async (seat: number): Promise<Death> => {
    const death = await lives.terminate(seat);
    tally.kills++;
    if (death.workerId === 0) tally.inAttaching++;
    if (death.inside === 'a call') tally.inCall++;
    if (death.inside === 'a recovery') tally.inRecovery++;
    if (death.announced) tally.announced++;
    return death;
  };
  const assertSound = async (freeAll: boolean): Promise<void> => {
    const wrong = verify(lives, setting, await lives.pause(freeAll), tally);
    if (wrong.length > 0) throw new Error(`after ${tally.kills} kills: ${wrong.join('; ')}`);
  };

  try {
    await lives.attached();
    for (let next = STRETCH; tally.kills < kills; ) {
      const first = survivors + random.below(setting.mortals);
      const second = survivors + ((first - survivors + 1) % setting.mortals);
      const way = random.next();
      const dead: number[] = [];
      const seats = [first];
      if (way < 0.1) {
        // One worker, maybe before it is attached.
        await sleep(random.below(60));
        dead.push((await kill(first)).workerId);
      } else if (way < 0.5 || first === second) {
        await lives.attached();
        await lives.pass(random.below(3000));
        dead.push((await kill(first)).workerId);
      } else if (way < 0.7) {
        // Two workers at once.
        await lives.attached();
        await lives.pass(random.below(5000));
        seats.push(second);
        for (const { workerId } of await Promise.all([kill(first), kill(second)])) dead.push(workerId);
      } else {
        // The second one while it recovers the first one, whose slot no other worker may get meanwhile.
        await lives.attached();
        const { workerId } = await kill(first);
        lives.request(second, workerId);
        const patience = performance.now() + 20;
        while (!lives.isRecovering(second) && performance.now() < patience);
        const end = performance.now() + RECOVERY_MS * random.next();
        while (performance.now() < end);
        dead.push((await kill(second)).workerId, workerId);
        seats.push(second);
      }
      // In turn: the recovery of one may have to wait for that of another to begin.
      const waiting = dead.filter((workerId) => workerId !== 0);
      for (let attempt = 0; waiting.length > 0; attempt++) {
        if (attempt === ATTEMPTS) throw new Error(`workers ${waiting.join(' and ')} cannot be recovered`);
        const workerId = waiting.shift() ?? 0;
        if (await lives.recover(random.below(survivors), workerId)) continue;
        tally.incomplete++;
        waiting.push(workerId);
      }
      lives.sweep();
      if (tally.kills >= next) {
        next = tally.kills + STRETCH;
        await assertSound(false);
        lives.resume();
        progress?.(tally.kills);
      }
      for (const seat of seats) lives.start(seat);
    }
    await lives.attached();
    await assertSound(true);
    for (const offset of lives.takeLetters()) lives.arena.free(offset);
  } finally {
    await lives.terminateAll();
  }
  for (const workerId of lives.workerIds()) {
    if (workerId !== lives.arena.workerId) lives.arena.recover(workerId);
  }
  const wrong = notEmpty(lives.arena);
  if (wrong.length > 0) throw new Error(`at the end: ${wrong.join('; ')}`);
  return tally;
}
