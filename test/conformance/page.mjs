// The suite in a browser: the results go to the server that the page came from.

import { startWebWorker } from './web-worker.mjs';

async function read(path) {
  const response = await fetch(`/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function outcome() {
  try {
    const { runSuite } = await import('./suite.mjs');
    return { results: await runSuite({ read, startWorker: startWebWorker }) };
  } catch (error) {
    return { error: `${error}\n${error.stack}` };
  }
}

await fetch('/outcome', { method: 'POST', body: JSON.stringify(await outcome()) });
