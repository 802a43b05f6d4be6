// How the suite starts a worker where workers are those of the web.

/** A worker at work on `message`: its answer, and how to end it. */
export function startWebWorker(message) {
  const worker = new Worker(new URL('./worker-web.mjs', import.meta.url), { type: 'module' });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`the worker failed: ${event.message}`));
    };
    worker.onmessageerror = () => reject(new Error('the answer cannot be read'));
    worker.postMessage(message);
  });
  return { answer, stop: () => worker.terminate() };
}
