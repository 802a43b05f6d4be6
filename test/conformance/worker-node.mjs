// A worker of the suite where workers are those of Node.

import { parentPort } from 'node:worker_threads';
import { answerTo } from './work.mjs';

parentPort.once('message', (data) => parentPort.postMessage(answerTo(data)));
