// What the guests are made to do, and what must come out of it, worked out in JavaScript.

import type { GuestName } from './build.ts';
import { luaPrograms } from './lua-programs.ts';
import { sqliteProgram } from './sqlite-program.ts';

/** Texts for a guest to run one after the other. */
export interface Program {
  readonly name: string;
  readonly guest: GuestName;
  readonly texts: readonly string[];
  /** What the guest must have printed at the end. */
  readonly expected: string;
}

/** All programs. Each takes some tenths of a second; the short ones only show that everything works. */
export function allPrograms(short: boolean): Program[] {
  return [...luaPrograms(short), sqliteProgram(short ? 2000 : 40_000)];
}
