// Terminates workers of a shared arena at random moments, has others recover from that, and says whether anything is harmed or lost.

import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from './random.ts';
import { notEmpty } from './shared-churn.ts';
import { type Death, type LifeSetting, Lives, type TaggedBlock } from './shared-lives.ts';

export interface DeathTally {
  kills: number;
  /** Where they hit: in a call, in a recovery, while attaching; and with a change announced that was not concluded. */
  inCall: number;
  inRecovery: number;
  inAttaching: number;
  announced: number;
  /** Recoveries that had to be tried again, as somebody else was at work there. */
  incomplete: number;
  /** Times that everything was stopped, looked at and found in order. */
  verified: number;
  /** Untracked arenas: units that were nobody's, before they were recovered. */
  leakedUnits: number;
}

/** Kills between two times that everything is stopped and looked at. */
const STRETCH = 5;

/** After so many a recovery is taken to be impossible. */
const ATTEMPTS = 500;

/** A recovery takes about so long, or less. */
const RECOVERY_MS = 0.3;

/** Everything that is wrong in a quiet arena of which `held` is what is held. Recovers what may be lost. */
function verify(
  lives: Lives,
  { trackOwners }: LifeSetting,
  held: TaggedBlock[],
  tally: DeathTally,
): string[] {
  const { arena, data } = lives;
  const alive = lives.numbers();
  // Who died before it could tell its number.
  for (const number of arena.workerIds()) {
    if (!alive.has(number) && !arena.recover(number).complete) return [`worker ${number} is not recovered`];
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

/** Resolves to a tally of `kills` deaths. Rejects when a block of a survivor was harmed or, with owners tracked, a unit lost. */
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
  const kill = async (place: number): Promise<Death> => {
    const death = await lives.terminate(place);
    tally.kills++;
    if (death.number === 0) tally.inAttaching++;
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
      const places = [first];
      if (way < 0.1) {
        // One, maybe before it is attached.
        await sleep(random.below(60));
        dead.push((await kill(first)).number);
      } else if (way < 0.5 || first === second) {
        await lives.attached();
        await lives.pass(random.below(3000));
        dead.push((await kill(first)).number);
      } else if (way < 0.7) {
        // Two at once.
        await lives.attached();
        await lives.pass(random.below(5000));
        places.push(second);
        for (const { number } of await Promise.all([kill(first), kill(second)])) dead.push(number);
      } else {
        // The second while it recovers from the death of the first; and nobody may get the first one's number meanwhile.
        await lives.attached();
        const { number } = await kill(first);
        lives.request(second, number);
        const patience = performance.now() + 20;
        while (!lives.isRecovering(second) && performance.now() < patience);
        const end = performance.now() + RECOVERY_MS * random.next();
        while (performance.now() < end);
        dead.push((await kill(second)).number, number);
        places.push(second);
      }
      // In turn, as the recovery of one may have to wait for the beginning of that of another.
      const waiting = dead.filter((number) => number !== 0);
      for (let attempt = 0; waiting.length > 0; attempt++) {
        if (attempt === ATTEMPTS) throw new Error(`workers ${waiting.join(' and ')} cannot be recovered`);
        const number = waiting.shift() ?? 0;
        if (await lives.recover(random.below(survivors), number)) continue;
        tally.incomplete++;
        waiting.push(number);
      }
      lives.sweep();
      if (tally.kills >= next) {
        next = tally.kills + STRETCH;
        await assertSound(false);
        lives.resume();
        progress?.(tally.kills);
      }
      for (const place of places) lives.start(place);
    }
    await lives.attached();
    await assertSound(true);
    for (const offset of lives.takeLetters()) lives.arena.free(offset);
  } finally {
    await lives.terminateAll();
  }
  for (const number of lives.numbers()) if (number !== lives.arena.workerId) lives.arena.recover(number);
  const wrong = notEmpty(lives.arena);
  if (wrong.length > 0) throw new Error(`at the end: ${wrong.join('; ')}`);
  return tally;
}
