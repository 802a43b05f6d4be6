// Tracked arenas: what a worker says in its slot before it leaves something unfinished for a moment, so that others
// know it after its death. See recover.ts.

import type { Cells } from './cells.ts';
import { type Geometry, SLOT_ANNOUNCED, SLOT_SEQUENCE } from './layout.ts';
import { slotPos } from './slots.ts';

/** Announces that the worker in `slot` is about to change something that contains `offset`. */
export const announce = (cells: Cells, g: Geometry, slot: number, offset: number): void => {
  const pos = slotPos(g, slot);
  cells.store(pos + SLOT_ANNOUNCED, offset + 1);
  // Another worker that finds the same sequence before and after its look at the tree has missed no announcement.
  cells.store(pos + SLOT_SEQUENCE, cells.read(pos + SLOT_SEQUENCE) + 1);
};

/** Announces that the worker in `slot` has finished its change. */
export const endAnnouncement = (cells: Cells, g: Geometry, slot: number): void => {
  cells.store(slotPos(g, slot) + SLOT_ANNOUNCED, 0);
};
