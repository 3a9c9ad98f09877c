// Opens a state and appends to it; prints what went wrong as JSON. Arguments: directory, run id, number of lines to append.
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {openState} from '../../../src/lib/state/sqlite.ts';

const [dir = '', runId = '', count = '0'] = process.argv.slice(2);
try {
  const state = await openState({dir, clock: systemClock()});
  for (let i = 0; i < Number(count); i++) state.append(runId, {type: 'gate', step: null, data: {i, pid: process.pid}});
  state.close();
  process.stdout.write('{"ok":true}\n');
} catch (error) {
  const {code, exit, message} = error as {code?: unknown; exit?: unknown; message?: unknown};
  process.stdout.write(`${JSON.stringify({code, exit, message})}\n`);
}
