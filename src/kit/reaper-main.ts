import {writeSync} from 'node:fs';
import {uptime} from 'node:os';
import {basename, dirname, join} from 'node:path';
import type {FaultEntry} from '../lib/drill/fault-ledger.ts';
import {faultLedger} from '../lib/drill/fault-ledger.ts';
import {type ReaperClock, reap} from '../lib/drill/reaper.ts';
import type {ReaperWord} from '../lib/drill/start-reaper.ts';
import {messageOf} from '../lib/errors.ts';
import {kindsOf} from '../lib/fleet/kinds.ts';
import {loadFleet} from '../lib/fleet/load.ts';
import {noteEnd} from '../lib/operate/fault-care.ts';
import {lookOutside} from '../lib/operate/outside.ts';
import {processRow} from '../lib/processes.ts';
import {builtinProviders} from '../lib/providers/builtin.ts';
import {type OpenFleet, openFleet} from '../lib/providers/open-fleet.ts';
import {systemClock} from '../lib/run/system-clock.ts';
import {loadProgram} from './load-program.ts';
import {collectProviders} from './providers.ts';
import {shareKit} from './share.ts';

// The process that ends one fault when its lease is over, whatever became of the drill. It is given the ledger's entry, says once that it is armed, and
// answers to nobody from then on.
const [, program = '', file = ''] = process.argv;
const told = new AbortController();
const state: {scrub: (text: string) => string} = {scrub: (text) => text};

process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => told.abort());
run().then(
  () => process.exit(0),
  (error: unknown) => leave(state.scrub(messageOf(error))),
);

async function run(): Promise<void> {
  const dir = dirname(file);
  const ledger = faultLedger(dirname(dir));
  const entry = ledger.read(basename(file, '.json'));
  if (entry === null) throw new Error(`there is no record ${file}`);
  const open = await opened(entry, dirname(dir));
  state.scrub = open.fleet.secrets.scrub;
  if (open.fault === null) throw new Error(`the fleet file ${entry.fleetFile} has no part "faults"`);
  // Whoever waits for this process to be armed reads the entry only afterwards.
  ledger.write({...entry, reaper: {pid: process.pid, start: processRow(process.pid)?.start ?? ''}});
  const clock: ReaperClock = {...systemClock(), awake: () => (process.platform === 'linux' ? uptime() * 1000 : performance.now())};
  log(`watches over ${entry.kind} of ${entry.region}, for ${entry.leaseMs} ms at most`);
  const watching = reap({
    port: open.fault,
    outside: (region, signal) => lookOutside(open, region, signal),
    entry,
    ledger,
    clock,
    told: told.signal,
    ended: (at, by) => noteEnd(open, entry, {at, by}),
    log,
  });
  say({armed: true});
  await watching;
  await open.close();
}

/** The fleet as its file says, with the providers of plugins, and its state where the entry is. */
async function opened({fleetFile}: FaultEntry, stateDir: string): Promise<OpenFleet> {
  const root = join(dirname(program), '../..');
  shareKit(root);
  const loaded = await loadProgram(root, ['drill', 'clean']);
  // Without a list of plugins there is nothing to collect.
  const providers = 'runHook' in loaded ? await collectProviders(loaded) : builtinProviders;
  const fleet = await loadFleet(fleetFile, kindsOf(providers));
  return openFleet({fleet: {...fleet, state: {...fleet.state, dir: stateDir}}, providers, clock: systemClock(), defaultStateDir: stateDir});
}

/** Its own file descriptor, not the stream: a disk that is full must not end this process before it has healed. */
function log(line: string): void {
  try {
    writeSync(1, `${new Date().toISOString()} ${basename(file, '.json')} pid ${process.pid}: ${state.scrub(line)}\n`);
  } catch {
    // Healing matters, not that it is told.
  }
}

function leave(why: string): void {
  log(why);
  if (process.connected) process.send?.({failed: why} satisfies ReaperWord, () => process.exit(1));
  else process.exit(1);
}

function say(word: ReaperWord): void {
  if (process.connected) process.send?.(word, () => undefined);
}
