// The code blocks of a documentation page that run in a browser.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';

/** Tests every block of `page` that is marked as one for `api`. `run` is undefined where there is no browser. */
export function testBlocks(
  page: string,
  api: string,
  run: ((scenario: string, text: string) => Promise<unknown>) | undefined,
): void {
  describe(page, () => {
    const markdown = readFileSync(page, 'utf8');
    const blocks = [...markdown.matchAll(new RegExp(`^\`\`\`js ${api}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
      ({ index, 1: text }) => ({ line: markdown.slice(0, index).split('\n').length, text }),
    );

    it('has no other JavaScript', () => {
      expect(blocks.length).toBeGreaterThan(0);
      expect(markdown.match(/^```js/gm)).toHaveLength(blocks.length);
    });

    it.skipIf(run === undefined).each(blocks)('line $line runs', async ({ text }) => {
      expect(await run?.('runModule', text)).toEqual([]);
    });

    let failures: unknown;
    beforeAll(async () => {
      failures = await run?.('runModule', 'console.assert(false, "as it should"); throw new Error("no")');
    });
    it.skipIf(run === undefined)('fails for a block with an error', () => {
      expect(failures).toEqual(['an assertion fails: as it should', 'Error: no']);
    });
  });
}
