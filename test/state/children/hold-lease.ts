// Takes a lease, says so, and keeps it until it is killed. Arguments: directory, name of the lease, run id.
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {openState} from '../../../src/lib/state/sqlite.ts';

const [dir = '', name = '', runId = ''] = process.argv.slice(2);
const state = await openState({dir, clock: systemClock()});
const lease = state.lease(name, runId);
process.stdout.write(`held ${lease.token}\n`);
setInterval(() => lease.check(), 20);
