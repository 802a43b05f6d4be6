// The operations of a recording on their way out: in chunks, so that the recorder itself holds few of them.

import { encodeOps, headerFor, UNCOUNTED } from '../formats/int32.ts';
import { int32s } from '../memory.ts';

/** The part of a WritableStream that a recording needs. A stream of bytes of any runtime has it. */
export interface ByteStream {
  getWriter(): {
    write(chunk: Uint8Array<ArrayBuffer>): Promise<unknown>;
    close(): Promise<unknown>;
  };
}

/**
 * Takes the bytes of a trace, piece by piece, in order: a function, or a stream of bytes. A piece has
 * at most 64 KiB, and nobody else changes it afterwards.
 */
export type RecordSink = ((chunk: Uint8Array<ArrayBuffer>) => void) | ByteStream;

const CHUNK_OPERATIONS = 2 ** 14;

/** Writes operations to a sink. */
export class OperationWriter {
  /** Operations written so far. */
  count = 0;
  readonly #chunk = int32s(CHUNK_OPERATIONS);
  #length = 0;
  readonly #write: (chunk: Uint8Array<ArrayBuffer>) => void;
  readonly #close: () => Promise<unknown>;
  #failure: { readonly cause: unknown } | undefined;

  /** Writes the header at once: the sink learns whether it works before anything is recorded. */
  constructor(sink: RecordSink) {
    if (typeof sink === 'function') {
      this.#write = sink;
      this.#close = async () => {};
    } else {
      const writer = sink.getWriter();
      this.#write = (chunk) => void writer.write(chunk).catch((cause: unknown) => this.#fail(cause));
      this.#close = () => writer.close();
    }
    this.#write(headerFor(UNCOUNTED));
  }

  /** Adds an operation. A sink that fails does not fail the caller: {@link close} tells. Amortised O(1). */
  push(op: number): void {
    this.#chunk[this.#length++] = op;
    this.count++;
    if (this.#length === CHUNK_OPERATIONS) this.#flush();
  }

  /**
   * Writes the rest.
   *
   * @throws what the sink has thrown first.
   */
  async close(): Promise<void> {
    this.#flush();
    const failed = this.#failure;
    await this.#close().catch((cause: unknown) => this.#fail(cause));
    const failure = failed ?? this.#failure;
    if (failure !== undefined) throw failure.cause;
  }

  #flush(): void {
    const bytes = encodeOps(this.#chunk.subarray(0, this.#length));
    this.#length = 0;
    if (bytes.length === 0 || this.#failure !== undefined) return;
    try {
      this.#write(bytes);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= { cause };
  }
}
