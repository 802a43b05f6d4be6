// Fills a cache beyond its maximum, and reads from it. `node examples/cache/main.mjs`; in a clone after `npm run build`.

import assert from 'node:assert/strict';
import { StringCache } from './cache.mjs';

const cache = new StringCache({ size: 2 ** 16, maximum: 2 ** 22 });
const textOf = (i) => `${i}: ${'größer '.repeat((i * 31) % 200)}`;
const report = (when) => {
  const { used, memory } = cache.bytes;
  console.log(`${when}: ${cache.size} strings, ${used} bytes in use of a memory of ${memory}`);
};

for (let i = 0; i < 1000; i++) cache.set(i, textOf(i));
report('After 1,000 strings');
for (let i = 1000; i < 20_000; i++) {
  cache.set(i, textOf(i));
  assert.equal(cache.get(0), textOf(0)); // what is used stays
}
report('After 20,000 strings');
assert.equal(cache.get(1), undefined);
assert.equal(cache.get(19_999), textOf(19_999));
