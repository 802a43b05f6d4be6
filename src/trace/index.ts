// Traces of real programs' allocations: reading and writing them, and replaying them on the allocator.

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
