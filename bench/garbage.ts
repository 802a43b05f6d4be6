// The garbage collector, on request: no contender pays for what another one left behind.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage now. */
export const collectGarbage: () => void = runInNewContext('gc');
