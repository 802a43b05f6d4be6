// What gives memory to the structures.

import type { Contender } from '../../shared/contender.ts';
import type { StructureMemory } from '../../shared/peer.mjs';

/** Memory for structures of many workers: sizes are bytes. */
export type StructureContender = Contender<StructureMemory>;
