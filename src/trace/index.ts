// Traces of real programs' allocations: reading and writing them, and replaying them on the allocator.

export { type Advice, type AdviseOptions, advise } from './advise.ts';
export type { Rivals } from './advise-first-fit.ts';
export type { Remedy, RemedyOfSize } from './advise-remedies.ts';
export type { SizeWaste } from './advise-sizes.ts';
export type { ArenaCost, UnitFigures } from './advise-units.ts';
export type { Reason, Verdict } from './advise-verdict.ts';
export { fitCapacity } from './capacity.ts';
export { TraceError, type TraceErrorCode } from './error.ts';
export { encodeTrace } from './int32.ts';
export { memoryMap } from './map.ts';
export type { Progress } from './pass.ts';
export { readTrace } from './read.ts';
export {
  type ArenaOptions,
  type ArenaState,
  arenaAfter,
  type ReplayOptions,
  type ReplayReport,
  replay,
  type SizeClass,
} from './replay.ts';
export type { Sample, Samples } from './samples.ts';
export { type Trace, traceFromOps } from './trace.ts';
