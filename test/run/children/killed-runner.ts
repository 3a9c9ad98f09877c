// Runs the short failover on a world of files and kills itself, as `kill -9` would, at one line of the journal or inside one effect.
// Arguments: directory, the line (`12`) or the effect (`before:promote`, `after:promote`) at which it dies.
import {runPlan} from '../../../src/lib/run/runner.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {openState} from '../../../src/lib/state/sqlite.ts';
import {simulated} from '../world.ts';
import {fileWorld, shortFailover} from './file-world.ts';

const [dir = '', point = ''] = process.argv.slice(2);
const clock = systemClock();
const state = await openState({dir, clock});
state.createRun('r1', 'lab', shortFailover);
const die = () => process.kill(process.pid, 'SIGKILL');
const registries = simulated(fileWorld(dir), {
  apply: async ({name}, set) => {
    if (point === `before:${name}`) die();
    set();
    if (point === `after:${name}`) die();
    return undefined;
  },
});
await runPlan({
  plan: shortFailover,
  runId: 'r1',
  state,
  lease: state.lease('lab', 'r1'),
  ...registries,
  clock,
  signal: new AbortController().signal,
  onEvent: (event) => {
    if (String(event.seq) === point) die();
  },
});
