// Traces: unpacking, reading both formats, replaying.

import { Heap } from '../../../dist/heap.js';
import { encodeTrace, readTrace, record, replay, TraceError, traceFromOps } from '../../../dist/trace.js';
import { features, named } from '../features.mjs';
import { equal, hash, holds, needs, rejects } from '../verdict.mjs';

/** Hash of the offsets of data/sqlite.tr.gz in 2^23 units of 16 bytes, as the classic tree of bytes gives them. */
export const SQLITE_HASH = 4050772520;

const MTRACE = `= Start
@ ./program:[0x11c0] - 0x5562c0
@ ./program:[0x11ca] + 0x5562a0 0xa
@ ./program:[0x11df] < 0x5562a0
@ ./program:[0x11df] > 0x556400 0x1e8480
= End
`;

export const trace = {
  async 'reads a packed trace and places it as the classic tree does'(note, { read }) {
    needs(features.decompression, named.decompression);
    const recorded = await readTrace(await read('data/sqlite.tr.gz'));
    equal(recorded.ops.length, 169_718, 'operations');
    const { nsPerOperation, ...report } = replay(recorded, { unit: 16, capacity: 2 ** 23 });
    equal(report.placementHash, SQLITE_HASH, 'the placement hash');
    equal([report.failures, report.peakLiveBytes], [0, 6_455_501], 'failures and peak');
    holds(nsPerOperation > 0 && nsPerOperation < 1e6, `it took ${nsPerOperation} ns per operation`);
    note(hash(new TextEncoder().encode(JSON.stringify(report))));
  },

  async 'refuses damaged and cut gzip data'(_, { read }) {
    needs(features.decompression, named.decompression);
    const packed = await read('data/sqlite.tr.gz');
    await rejects(readTrace(packed.subarray(0, 5000)), 'GZIP', 'half a file');
    const damaged = packed.slice();
    damaged[3000] ^= 1;
    await rejects(readTrace(damaged), 'GZIP', 'a flipped bit');
    await rejects(readTrace(packed.slice(0, 12)), 'GZIP', 'little more than a header');
  },

  async 'writes and reads int32'() {
    const made = traceFromOps(Int32Array.of(100, 40, ~0));
    const bytes = encodeTrace(made);
    const header = [...new TextEncoder().encode('BUDT'), 1, 0, 0, 0, 3, 0, 0, 0];
    equal(bytes, [...header, 100, 0, 0, 0, 40, 0, 0, 0, 255, 255, 255, 255], 'the bytes');
    equal((await readTrace(bytes)).ops, made.ops, 'the operations read');
    await rejects(readTrace(bytes.subarray(0, -1)), 'LENGTH', 'a byte less');
    await rejects(readTrace(new Uint8Array(0)), TraceError, 'nothing');
  },

  async 'records a heap, to memory and to a function'() {
    const heap = new Heap({ size: 65536 });
    const pieces = [];
    const recorder = record(heap, { sink: (piece) => pieces.push(...piece) });
    const view = heap.allocArray(Float32Array, 3);
    heap.free(heap.realloc(heap.malloc(10), 600));
    heap.free(view);
    await recorder.stop();
    heap.malloc(1);
    const { ops } = await readTrace(Uint8Array.from(pieces));
    equal(ops, [12, 10, 600, ~1, ~2, ~0], 'the operations');
    const kept = record(new Heap({ size: 65536 }));
    await rejects(kept.trace(), 'EMPTY', 'a trace of nothing');
  },

  async 'records to a stream'() {
    needs(features.decompression, named.decompression);
    const heap = new Heap({ size: 65536 });
    const gzip = new CompressionStream('gzip');
    const packed = new Response(gzip.readable).arrayBuffer();
    const recorder = record(heap, { sink: gzip.writable });
    for (let i = 0; i < 20000; i++) heap.free(heap.malloc(i % 100));
    await recorder.stop();
    equal((await readTrace(new Uint8Array(await packed))).ops.length, 40000, 'operations');
  },

  async 'reads mtrace'() {
    const made = await readTrace(new TextEncoder().encode(MTRACE));
    equal([made.ops, made.skippedFrees], [[10, 2_000_000, ~0], 1], 'the operations');
    await rejects(readTrace(new TextEncoder().encode('= Start\n@ nonsense\n')), 'LINE', 'nonsense');
  },

  async 'refuses what is not a trace, unless it is asked for'() {
    await rejects(readTrace(new Uint8Array(4096)), 'FORMAT', 'zeros');
    equal((await readTrace(new Uint8Array(4096), { format: 'int32' })).allocations, 1024, 'zeros as int32');
    await rejects(readTrace(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4)), 'FORMAT', 'xz');
  },

  async 'reads a recording that is cut off, unless it must be complete'() {
    const cut = new TextEncoder().encode(`${MTRACE.slice(0, -6)}@ ./progr`);
    equal((await readTrace(cut)).cutOffLines, 1, 'lines left out');
    await rejects(readTrace(cut, { strict: true }), 'LINE', 'the same, strictly');
  },

  async 'reads bytes in shared memory'() {
    needs(features.sharedArrayBuffer, named.sharedArrayBuffer);
    await readsAllFrom((length) => new SharedArrayBuffer(length));
  },

  async 'reads bytes in resizable memory'() {
    needs(features.resizable, named.resizable);
    await readsAllFrom((length) => new ArrayBuffer(length, { maxByteLength: 2 * length }));
  },

  async 'reads bytes in shared WebAssembly memory'() {
    needs(features.sharedWasm, named.sharedWasm);
    await readsAllFrom(() => new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }).buffer);
  },
};

/** Reads each format, packed and not, from a buffer that `make` makes. */
async function readsAllFrom(make) {
  const int32 = encodeTrace(traceFromOps(Int32Array.of(100, 40, ~0)));
  const files = [int32, new TextEncoder().encode(MTRACE)];
  if (features.decompression) {
    const packed = new Blob([int32]).stream().pipeThrough(new CompressionStream('gzip'));
    files.push(new Uint8Array(await new Response(packed).arrayBuffer()));
  }
  for (const file of files) {
    const bytes = new Uint8Array(make(file.length + 8), 8, file.length);
    bytes.set(file);
    equal((await readTrace(bytes)).ops, (await readTrace(file)).ops, 'the operations');
  }
}
