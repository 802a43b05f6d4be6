// One turn of ours in `npm run bench -- native`: a process of its own that replays a workload. Its parameters are the name of
// the workload, and how many replays to make. Prints a line of JSON.

import { OURS } from '../contenders/index.ts';
import { runnerFor } from '../contenders/runner.ts';
import { planNamed } from '../workloads.ts';
import { type Turn, turnOf } from './turns.ts';

const [name, replays] = process.argv.slice(2);
const workload = planNamed(name).build();
const turn: Turn = await turnOf(await runnerFor(OURS, workload), workload, Number(replays));
process.stdout.write(`${JSON.stringify(turn)}\n`);
