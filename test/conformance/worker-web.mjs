// A worker of the suite where workers are those of the web.

import { answerTo } from './work.mjs';

globalThis.onmessage = ({ data }) => globalThis.postMessage(answerTo(data));
