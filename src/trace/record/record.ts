// Recording: a trace of a heap or an allocator, written while a program uses it.

import { checkInteger, checkObject } from '../../base/arguments.ts';
import { encodeTrace, parseInt32 } from '../formats/int32.ts';
import { MAX_BYTES, Parts } from '../formats/parts.ts';
import type { Trace } from '../trace.ts';
import { LiveBlocks } from './blocks.ts';
import { Patches } from './patches.ts';
import {
  allocatorNotes,
  heapNotes,
  isHeap,
  type RecordableAllocator,
  type RecordableHeap,
} from './targets.ts';
import { OperationWriter, type RecordSink } from './writer.ts';

/** How to record. */
export interface RecordOptions {
  /**
   * Where the trace goes, in the int32 format: a function, or a stream of bytes such as a WritableStream, which is
   * closed at the end. Unless given, it stays in memory: 4 bytes per operation, for {@link Recorder.trace}.
   */
  readonly sink?: RecordSink | undefined;
  /** Bytes per unit of an allocator: a positive integer; 1 unless given. A heap counts in bytes anyway. */
  readonly unit?: number | undefined;
}

/** What is being recorded. */
const recorded = new WeakSet<object>();

/**
 * Records what a program does with a heap or an allocator: every call, also those that reach it through scopes, views
 * and WebAssembly imports. The object stays what it is, and nothing of it changes when it is not recorded: until
 * {@link Recorder.stop}, some methods of this one object are replaced.
 *
 * The blocks that are live already come first in the trace, in address order. O(blocks) for them; then some 0.1 µs
 * per call, and memory for each live block and 64 KiB.
 *
 * @throws TypeError if `target` is neither a heap nor an allocator, is being recorded already or is frozen; if an
 * option has the wrong type; or if a `unit` is given for a heap.
 * @throws RangeError if `unit` is not a positive integer.
 */
export function record(target: RecordableHeap | RecordableAllocator, options: RecordOptions = {}): Recorder {
  checkObject('options', options);
  checkObject('target', target);
  if (typeof target.blocks !== 'function' || !('malloc' in target || 'alloc' in target)) {
    throw new TypeError('only a heap or an allocator can be recorded');
  }
  if (recorded.has(target)) throw new TypeError('it is being recorded already');
  return new Recorder(target, options);
}

/** A recording, from {@link record}. */
export class Recorder {
  readonly #target: object;
  readonly #kept: Parts | undefined;
  readonly #writer: OperationWriter;
  readonly #blocks: LiveBlocks;
  readonly #patches: Patches;
  #stopping: Promise<void> | undefined;
  #trace: Trace | undefined;

  /** Begins. Programs call {@link record}. */
  constructor(target: RecordableHeap | RecordableAllocator, { sink, unit }: RecordOptions) {
    const kept = sink === undefined ? new Parts(MAX_BYTES) : undefined;
    if (unit !== undefined) {
      if (isHeap(target)) throw new TypeError('a heap counts in bytes: unit is for allocators');
      checkInteger('unit', unit, 1);
    }
    const writer = new OperationWriter(sink ?? ((chunk) => kept?.add(chunk)));
    this.#target = target;
    this.#kept = kept;
    this.#writer = writer;
    this.#blocks = new LiveBlocks((op) => writer.push(op));
    this.#patches = new Patches(
      target,
      (isHeap(target)
        ? heapNotes(target, this.#blocks)
        : allocatorNotes(target, this.#blocks, unit ?? 1)) as ConstructorParameters<typeof Patches>[1],
    );
    recorded.add(target);
  }

  /** Operations recorded so far. */
  get operations(): number {
    return this.#writer.count;
  }

  /**
   * Frees of blocks that the recording does not know, as of those that another worker allocated. They have no entry.
   */
  get skippedFrees(): number {
    return this.#blocks.skippedFrees;
  }

  /** Requests that found no room. They have no entry. */
  get refusedRequests(): number {
    return this.#blocks.refusedRequests;
  }

  /** Blocks of more than 2^31 - 1 bytes, which the format cannot hold. Neither they nor their frees have an entry. */
  get oversizedRequests(): number {
    return this.#blocks.oversizedRequests;
  }

  /**
   * Ends the recording: the object has its own methods again when this returns. The promise is fulfilled once the
   * sink has everything. A second `stop` returns the same promise.
   *
   * @throws what the sink has thrown, or a stream's error: the trace lacks all that came after. The program has not
   * noticed.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #stop(): Promise<void> {
    this.#patches.restore();
    recorded.delete(this.#target);
    return this.#writer.close();
  }

  /**
   * The trace, if there was no sink. Stops the recording. O(n) the first time.
   *
   * @throws TypeError if there is a sink, which has it.
   * @throws TraceError `EMPTY` if nothing was recorded; `TOO_LARGE` if there are 2^29 operations or more.
   */
  async trace(): Promise<Trace> {
    const kept = this.#kept;
    if (kept === undefined) throw new TypeError('the trace has gone to the sink');
    await this.stop();
    this.#trace ??= parseInt32(kept.join());
    const { skippedFrees, refusedRequests, oversizedRequests } = this;
    return { ...this.#trace, skippedFrees, refusedRequests, oversizedRequests };
  }

  /**
   * The trace as a file in the int32 format, if there was no sink. Stops the recording. O(n).
   *
   * @throws as {@link trace}.
   */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return encodeTrace(await this.trace());
  }
}
