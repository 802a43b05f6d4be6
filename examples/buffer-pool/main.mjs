// Does it pay to take Buffers from a Heap? Copies a file with checksums, once with such Buffers and once with new ones,
// and prints the throughput and the pauses for garbage collection of both. `node examples/buffer-pool/main.mjs
// [--quick] [--json]`, after `npm run build`.

import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from './measure.mjs';
import { IN_FLIGHT, LARGEST } from './pipeline.mjs';
import { HeapPool, UnpooledBuffers } from './pools.mjs';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const effort = values.quick ? { megabytes: 8, rounds: 2 } : { megabytes: 128, rounds: 15 };

/** Writes a file of `bytes` bytes: the package's own files, repeated. */
async function makeFile(path, bytes) {
  const files = new URL('../../dist/', import.meta.url);
  const entries = (await readdir(files, { withFileTypes: true })).filter((entry) => entry.isFile());
  const pieces = await Promise.all(entries.map(({ name }) => readFile(new URL(name, files))));
  const piece = Buffer.concat(pieces);
  const file = await open(path, 'w');
  for (let position = 0; position < bytes; position += piece.length)
    await file.write(piece, 0, Math.min(piece.length, bytes - position));
  await file.close();
}

function format({ megabytes, rounds, results, ratio }) {
  const lines = results.map((one) => {
    const throughput = `${one.megabytesPerSecond.toFixed(0)} MB/s`;
    const pauses = `${one.pauses} pauses, ${one.pauseMs.toFixed(2)} ms together, longest of all runs ${one.longestPauseMs.toFixed(2)} ms`;
    return `${one.name.padEnd(24)} ${throughput.padEnd(12)} ${pauses}`;
  });
  const [q1, middle, q3] = [ratio.q1, ratio.median, ratio.q3].map((value) => value.toFixed(2));
  const verdict =
    ratio.q1 > 1 ? 'faster' : ratio.q3 < 1 ? 'slower' : 'neither faster nor slower, as far as this can tell';
  return [
    `A file of ${megabytes} MB in ${results[0].messages} messages, ${IN_FLIGHT} at a time. Medians of ${rounds} runs:`,
    ...lines,
    `Throughput with Buffers from a Heap is ${middle} times that with new ones (quartiles ${q1} – ${q3}): ${verdict}.`,
    '',
  ].join('\n');
}

const folder = await mkdtemp(join(tmpdir(), 'buffer-pool-'));
try {
  const source = join(folder, 'source');
  const bytes = effort.megabytes * 1e6;
  await makeFile(source, bytes);
  const pools = [
    ['Heap', new HeapPool(2 * IN_FLIGHT * LARGEST)],
    ['Buffer.allocUnsafeSlow', new UnpooledBuffers()],
  ];
  const measured = await measure(pools, source, join(folder, 'copy'), bytes, effort.rounds);
  const report = { node: process.versions.node, ...effort, ...measured };
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : format(report));
} finally {
  await rm(folder, { recursive: true });
}
