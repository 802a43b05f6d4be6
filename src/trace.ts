// Traces of real programs' allocations: recording, reading and writing them, and replaying them on the allocator.

export { type Advice, type AdviseOptions, advise } from './trace/advise/advise.ts';
export type { Remedy, RemedyOfSize } from './trace/advise/remedies.ts';
export type { Rivals } from './trace/advise/rivals.ts';
export type { SizeWaste } from './trace/advise/sizes.ts';
export type { ArenaCost, UnitFigures } from './trace/advise/units.ts';
export type { Reason, Verdict } from './trace/advise/verdict.ts';
export { TraceError, type TraceErrorCode } from './trace/error.ts';
export { encodeTrace } from './trace/formats/int32.ts';
export { type ReadOptions, readTrace } from './trace/formats/read.ts';
export { type Recorder, type RecordOptions, record } from './trace/record/record.ts';
export type { RecordableAllocator, RecordableHeap } from './trace/record/targets.ts';
export type { ByteStream, RecordSink } from './trace/record/writer.ts';
export { fitCapacity } from './trace/replay/capacity.ts';
export { memoryMap } from './trace/replay/map.ts';
export type { Progress } from './trace/replay/pass.ts';
export {
  type ArenaOptions,
  type ArenaState,
  arenaAfter,
  type ReplayOptions,
  type ReplayReport,
  replay,
  type SizeClass,
} from './trace/replay/replay.ts';
export type { Sample, Samples } from './trace/replay/samples.ts';
export { type Trace, type TraceFormat, type TraceGaps, traceFromOps } from './trace/trace.ts';
