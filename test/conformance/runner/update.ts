// Puts the table into the pages that show it, between two markers.

import { readFile, writeFile } from 'node:fs/promises';

const BEGIN = '<!-- runtimes -->';
const END = '<!-- /runtimes -->';

/** The page with `table` between its markers. Throws when it does not have each of them once, in that order. */
export function replaced(page: string, table: string, name: string): string {
  const parts = page.split(BEGIN);
  const rest = parts[1]?.split(END);
  if (parts.length !== 2 || rest?.length !== 2 || parts[0].includes(END)) {
    throw new Error(`${name} must have a line ${BEGIN} and, below it, a line ${END}, once each`);
  }
  return `${parts[0]}${BEGIN}\n\n${table}\n\n${END}${rest[1]}`;
}

/** The same for files; when one of them lacks the markers, none is written. */
export async function update(files: readonly string[], table: string): Promise<void> {
  const pages = await Promise.all(
    files.map(async (file) => [file, replaced(await readFile(file, 'utf8'), table, file)] as const),
  );
  await Promise.all(pages.map(([file, page]) => writeFile(file, page)));
}
