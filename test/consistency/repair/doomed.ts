// Carries a repair in a process of its own, and kills it: `node doomed.ts FLEET PLAN run|resume|undo WRITES before|after`.
import {readFileSync} from 'node:fs';
import type {OpenFleet} from '../../../src/lib/providers/open-fleet.ts';
import {openFile, run, takeUp} from './repair-world.ts';

const [file = '', planFile = '', what = '', writes = '1', when = 'after'] = process.argv.slice(2);

/** The end comes with the n-th write: right before it is sent, or when it is committed and nobody has written that down. */
function doom(open: OpenFleet): void {
  const repair = open.stores.orders?.abilities.repair;
  if (repair === undefined) throw new Error('the store cannot repair');
  const {write} = repair;
  let count = 0;
  const dying: typeof write = async (...args) => {
    count += 1;
    if (count === Number(writes) && when === 'before') process.kill(process.pid, 'SIGKILL');
    const stands = await write(...args);
    if (count === Number(writes)) process.kill(process.pid, 'SIGKILL');
    return stands;
  };
  Object.assign(repair, {write: dying});
}

const open = await openFile(file);
doom(open);
if (what === 'run') await run(open, planFile, readFileSync(planFile, 'utf8'));
else await takeUp(open, what === 'undo' ? 'back' : 'forward');
await open.close();
