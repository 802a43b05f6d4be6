// What is replayed: the recorded traces, and synthetic steady states made from a seed.

import { Random } from '../test/support/random.ts';
import {
  loadBytes,
  loadTrace,
  TRACE_CAPACITY,
  TRACE_NAMES,
  TRACE_UNIT,
  type TraceName,
} from '../test/support/traces.ts';

/** Bytes per unit, for the contenders that count in bytes. */
export const UNIT_BYTES = TRACE_UNIT;

/** Operations of a trace that the slow peers replay. */
const CUT = 100_000;

/** Operations of a synthetic workload that are timed. */
const STEADY_OPERATIONS = 400_000;

/** A sequence of operations for an arena. */
export interface Workload {
  readonly name: string;
  /** Size of the arena in units, a power of two. */
  readonly capacity: number;
  /** x >= 0 allocates x units and gets the next id from 0; x < 0 frees the block with id ~x. */
  readonly operations: Int32Array;
  /** The same with sizes in bytes, as the program asked for them. */
  readonly bytes: Int32Array;
  /** Operations before this one fill the arena and are not timed. */
  readonly steadyFrom: number;
}

/** A workload that has not been built yet; building the large ones takes a second and much memory. */
export interface WorkloadPlan {
  readonly name: string;
  /** Whether it runs without --all. */
  readonly byDefault: boolean;
  /** Whether the peers, which are slow, run it; the references run the others. */
  readonly forPeers: boolean;
  /** Whether it is a recorded trace from beginning to end. */
  readonly isWholeTrace: boolean;
  build(): Workload;
}

const SIZES = {
  /** Every block is one unit. */
  unit: () => 1,
  /** 1 … 8 units, all alike. */
  small: (random: Random) => 1 + random.below(8),
  /** A power of two, each half as likely as the one before, up to 1/16 of the arena. */
  geometric: (random: Random, capacity: number) => {
    let size = 1;
    while (size < capacity / 16 && random.next() < 0.5) size *= 2;
    return size;
  },
} as const;

const FREE_ORDERS = ['lifo', 'fifo', 'random'] as const;
const FILLS = [30, 60, 90] as const;
const ORDERS = [10, 16, 20, 24] as const;

type SizeName = keyof typeof SIZES;
type FreeOrder = (typeof FREE_ORDERS)[number];

/** What a synthetic workload is made of. */
export interface Synthetic {
  readonly name: string;
  readonly capacity: number;
  readonly sizes: SizeName;
  readonly freeOrder: FreeOrder;
  /** Units to fill before the steady state and to keep in use in it, counted as rounded to powers of two. */
  readonly fillUnits: number;
  /** Operations of the steady state. */
  readonly steadyOperations: number;
}

const roundedUp = (size: number): number => (size === 1 ? 1 : 2 ** (32 - Math.clz32(size - 1)));

/** The ids of the live blocks, given up in one of three orders in constant time. */
class LiveIds {
  readonly #ids: Int32Array;
  readonly #freeOrder: FreeOrder;
  readonly #random: Random;
  #head = 0;
  #tail = 0;

  constructor(room: number, freeOrder: FreeOrder, random: Random) {
    this.#ids = new Int32Array(room);
    this.#freeOrder = freeOrder;
    this.#random = random;
  }

  get empty(): boolean {
    return this.#head === this.#tail;
  }

  add(id: number): void {
    this.#ids[this.#tail++] = id;
  }

  remove(): number {
    if (this.#freeOrder === 'fifo') return this.#ids[this.#head++];
    const last = this.#ids[--this.#tail];
    if (this.#freeOrder === 'lifo') return last;
    const at = this.#random.below(this.#tail + 1);
    const id = this.#ids[at];
    this.#ids[at] = last;
    return id;
  }
}

/**
 * Allocates until `fillUnits` are in use, then frees whenever that many are in use and allocates otherwise. With one
 * size this alternates; with several, large blocks are followed by several frees and the level holds. The same
 * arguments give the same operations.
 */
export function synthesise(plan: Synthetic): Workload {
  const random = new Random(1);
  const mostOperations = plan.fillUnits + plan.steadyOperations;
  const operations = new Int32Array(mostOperations);
  const sizes = new Uint32Array(mostOperations);
  const live = new LiveIds(mostOperations, plan.freeOrder, random);
  const size = SIZES[plan.sizes];
  let used = 0;
  let ids = 0;
  let at = 0;
  const alloc = (): void => {
    const units = size(random, plan.capacity);
    sizes[ids] = roundedUp(units);
    used += sizes[ids];
    live.add(ids++);
    operations[at++] = units;
  };
  while (used < plan.fillUnits) alloc();
  const steadyFrom = at;
  while (at < steadyFrom + plan.steadyOperations) {
    if (used < plan.fillUnits || live.empty) {
      alloc();
    } else {
      const id = live.remove();
      used -= sizes[id];
      operations[at++] = ~id;
    }
  }
  return {
    name: plan.name,
    capacity: plan.capacity,
    operations: operations.slice(0, at),
    bytes: operations.slice(0, at).map((x) => (x < 0 ? x : x * UNIT_BYTES)),
    steadyFrom,
  };
}

function tracePlans(trace: TraceName): WorkloadPlan[] {
  const build = (name: string, forPeers: boolean): Workload => {
    const end = forPeers ? CUT : undefined;
    return {
      name,
      capacity: TRACE_CAPACITY,
      operations: loadTrace(trace).slice(0, end),
      bytes: loadBytes(trace).slice(0, end),
      steadyFrom: 0,
    };
  };
  const plan = (name: string, forPeers: boolean): WorkloadPlan => {
    return { name, byDefault: true, forPeers, isWholeTrace: !forPeers, build: () => build(name, forPeers) };
  };
  return [plan(trace, false), plan(`${trace}, first ${CUT / 1000}k`, true)];
}

function syntheticPlans(): WorkloadPlan[] {
  const plans: WorkloadPlan[] = [];
  for (const order of ORDERS) {
    for (const sizes of Object.keys(SIZES) as SizeName[]) {
      for (const freeOrder of FREE_ORDERS) {
        for (const fill of FILLS) {
          const name = `2^${order} ${sizes} ${freeOrder} ${fill}%`;
          const capacity = 2 ** order;
          const fillUnits = Math.floor((capacity * fill) / 100);
          // The default set varies one property at a time around small sizes, random frees and 60 %: the arena
          // everywhere, the others in the arena of 2^20 units.
          const away = Number(sizes !== 'small') + Number(freeOrder !== 'random') + Number(fill !== 60);
          plans.push({
            name,
            byDefault: away === 0 || (away === 1 && order === 20),
            forPeers: false,
            isWholeTrace: false,
            build: () =>
              synthesise({
                name,
                capacity,
                sizes,
                freeOrder,
                fillUnits,
                steadyOperations: STEADY_OPERATIONS,
              }),
          });
        }
      }
    }
  }
  return plans;
}

/** Every workload: each trace whole and cut for the peers, then the cross product of the synthetic properties. */
export function workloadPlans(): WorkloadPlan[] {
  return [...TRACE_NAMES.flatMap(tracePlans), ...syntheticPlans()];
}

/** The plan of the workload `name`. Throws an Error if there is none. */
export function planNamed(name: string): WorkloadPlan {
  const plan = workloadPlans().find((one) => one.name === name);
  if (plan === undefined) throw new Error(`no workload is called ${name}`);
  return plan;
}
