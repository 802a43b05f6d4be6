// The suite in Node, Deno or Bun: the results on standard output, as JSON.

import { readFile } from 'node:fs/promises';
import { Worker as Thread } from 'node:worker_threads';
import { startWebWorker } from './web-worker.mjs';

const root = new URL('../../', import.meta.url);

async function read(path) {
  return new Uint8Array(await readFile(new URL(path, root)));
}

function startThread(message) {
  const thread = new Thread(new URL('./worker-node.mjs', import.meta.url));
  const answer = new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  thread.postMessage(message);
  return { answer, stop: () => thread.terminate() };
}

const startWorker = typeof Worker === 'function' ? startWebWorker : startThread;
const { runSuite } = await import('./suite.mjs');
console.log(JSON.stringify(await runSuite({ read, startWorker })));
