import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {faultLedger} from '../../src/lib/drill/fault-ledger.ts';
import {runningReapers} from '../../src/lib/drill/start-reaper.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {cleanFaults} from '../../src/lib/operate/clean.ts';
import {worldOf} from '../../src/lib/operate/world.ts';
import {commandOf, isRunning, processRow} from '../../src/lib/processes.ts';
import {builtinProviders} from '../../src/lib/providers/builtin.ts';
import {type OpenFleet, openFleet} from '../../src/lib/providers/open-fleet.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {programs, until} from '../providers/exec/programs.ts';
import {victim} from '../providers/signal/victim.ts';
import {planOf} from '../run/world.ts';

const box = programs();
const [east, west] = [victim(box, 20_944, 'east'), victim(box, 20_945, 'west')];
const stateDir = join(box.dir, 'state');
const ledger = faultLedger(stateDir);
const clock = systemClock();
const children: ChildProcess[] = [];
const SECRET = 'unguessable-9152';

const fleetText = (faults: string, state = 'state') => `version: 1
fleet: demo
regions:
  east: {jurisdiction: EU, endpoints: {app: {probe: http, url: "http://127.0.0.1:20944/", timeout: 300ms}}}
  west: {jurisdiction: EU, endpoints: {app: {probe: http, url: "http://127.0.0.1:20945/", timeout: 300ms}}}
faults: ${faults}
state: {dir: ${state}}
`;
const SIGNALS = `{kind: signal, regions: {east: {pidFiles: [east.pid], start: ${JSON.stringify(east.start)}}, west: {pidFiles: [west.pid]}}}`;

beforeAll(async () => {
  writeFileSync(join(box.dir, 'fleet.yaml'), fleetText(SIGNALS));
  await Promise.all([east.up(), west.up()]);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => {
  for (const {pid} of runningReapers(ledger.dir)) process.kill(pid, 'SIGKILL');
  east.end();
  west.end();
  box.remove();
});

/** Injects in a process of its own, which is killed with SIGKILL once it has. */
async function injectAndDie(leaseMs: number, ...orders: readonly string[]): Promise<void> {
  const file = join(box.dir, 'fleet.yaml');
  const args = [join(import.meta.dirname, 'children/inject-fault.ts'), file, String(leaseMs), ...orders];
  const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, TOKEN: SECRET}});
  children.push(child);
  const said = {out: '', err: ''};
  child.stdout?.on('data', (chunk) => (said.out += String(chunk)));
  child.stderr?.on('data', (chunk) => (said.err += String(chunk)));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await Promise.race([ended, until(() => said.out.includes('injected'))]);
  if (!orders.includes('dies') && !said.out.includes('injected')) throw new Error(said.err);
  child.kill('SIGKILL');
  await ended;
}

async function withFleet<T>(work: (open: OpenFleet) => Promise<T>, file = 'fleet.yaml'): Promise<T> {
  const fleet = await loadFleet(join(box.dir, file), kindsOf(builtinProviders));
  const open = await openFleet({fleet, providers: builtinProviders, clock, defaultStateDir: '/nowhere'});
  return work(open).finally(() => open.close());
}
const clean = (dryRun = false) => withFleet((open) => cleanFaults(open, {signal: AbortSignal.timeout(60_000), dryRun}));
const act = (open: OpenFleet, action: string, region: string, args: {[key: string]: string | number | object}) => {
  const ctx = {runId: 'drill-2', token: 't', signal: AbortSignal.timeout(20_000), now: clock.now, deadline: clock.now() + 10_000};
  const {actions} = worldOf(open, {life: new AbortController().signal});
  return actions.bind({action, v: 1, target: {region, fault: 'freeze'}, args: args as never}).apply(ctx);
};
const log = () => readFileSync(join(ledger.dir, 'reaper.log'), 'utf8');
const records = () => (existsSync(ledger.dir) ? readdirSync(ledger.dir).filter((name) => name.endsWith('.json')) : []);
const NOTHING = {document: {found: [], removed: 0, reapers: 0, verdict: 'none'}, exit: 0};

describe('a fault whose injector was killed', () => {
  it('ends with its lease, two at once as well; no reaper is left, and clean reports nothing', async () => {
    const began = performance.now();
    await injectAndDie(3000, 'east:kill', 'west:freeze');
    expect([await east.answers(), await west.answers()]).toEqual([false, false]);
    const reapers = runningReapers(ledger.dir);
    expect(reapers).toHaveLength(2);
    for (const {pid} of reapers) {
      // A session of its own: nothing that ends the terminal, or the group of the drill, ends it.
      expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]).toBe(String(pid));
      expect(commandOf(pid)?.join(' ')).not.toContain(SECRET);
    }
    await until(() => runningReapers(ledger.dir).length === 0);
    expect(performance.now() - began).toBeGreaterThan(3000);
    expect([await east.becomesWell(), await west.becomesWell()]).toEqual([true, true]);
    expect(records()).toEqual([]);
    expect(await clean()).toMatchObject(NOTHING);
    expect(log()).toMatch(/watches over kill of east[\s\S]*the end is proven/u);
  });

  it('ends with its lease also where the reaper cannot write, and the journal of its run says when', async () => {
    const file = join(ledger.dir, 'reaper.log');
    mkdirSync(ledger.dir, {recursive: true});
    rmSync(file, {force: true});
    symlinkSync('/dev/full', file);
    const state = await openState({dir: stateDir, clock});
    try {
      state.createRun('drill-1', 'demo', planOf([], {kind: 'drill'}));
      const began = Date.now();
      await injectAndDie(2000, 'west:freeze');
      expect(await west.answers()).toBe(false);
      await until(() => runningReapers(ledger.dir).length === 0);
      expect([await west.becomesWell(), records()]).toEqual([true, []]);
      const [note] = state.events('drill-1');
      expect(note).toMatchObject({
        type: 'note',
        data: {says: expect.stringContaining('freeze on west ended with its lease of 2 s'), ended: {by: 'lease', region: 'west'}},
      });
      const {ended} = Object(note?.data) as {ended?: {at: string}};
      const at = Date.parse(ended?.at ?? '');
      expect(at - began).toBeGreaterThanOrEqual(2000);
      expect(Date.now()).toBeGreaterThanOrEqual(at);
    } finally {
      state.close();
      rmSync(file);
    }
  });

  it('between the record and the injection leaves a record that clean takes away, with its reaper', async () => {
    await injectAndDie(600_000, 'east:freeze', 'dies');
    expect([records().length, runningReapers(ledger.dir).length, await east.answers()]).toEqual([1, 1, true]);
    expect(await clean()).toMatchObject({document: {found: [], removed: 1, verdict: 'none'}, exit: 0});
    expect([records().length, runningReapers(ledger.dir).length]).toEqual([0, 0]);
  });
});

describe('a reaper that was killed', () => {
  it('is missed by clean, which heals and proves it; before that it only lists', async () => {
    await injectAndDie(600_000, 'east:freeze');
    const [reaper] = runningReapers(ledger.dir);
    process.kill(reaper?.pid ?? 0, 'SIGKILL');
    await until(() => runningReapers(ledger.dir).length === 0);
    expect(await clean(true)).toMatchObject({
      document: {verdict: 'left', found: [{fault: 'freeze', region: 'east', runId: 'drill-1', healed: false, provenHealed: null}]},
      exit: 1,
    });
    expect(await east.answers()).toBe(false);
    const {document, exit} = await clean();
    expect({document, exit}).toMatchObject({document: {verdict: 'healed', found: [{healed: true, provenHealed: true}]}, exit: 0});
    expect(document.found[0]?.says).toBe(`no fault is active on east, and app answers; its reaper had been killed (pid ${reaper?.pid})`);
    expect(await east.answers()).toBe(true);
    expect(await clean()).toMatchObject(NOTHING);
  });

  it('is ended by clean when it was stopped, and its record is gone', async () => {
    await injectAndDie(600_000, 'west:freeze');
    const [reaper] = runningReapers(ledger.dir);
    process.kill(reaper?.pid ?? 0, 'SIGSTOP');
    for (const name of records()) ledger.remove(name.slice(0, -'.json'.length));
    expect(await clean()).toMatchObject({
      document: {verdict: 'healed', reapers: 1, found: [{fault: 'freeze', since: null, runId: null}]},
      exit: 0,
    });
    expect([await west.answers(), runningReapers(ledger.dir).length]).toEqual([true, 0]);
  });
});

describe('a drill', () => {
  it('ends its reaper at once when it has healed and proven', async () => {
    await withFleet(async (open) => {
      const injected = await act(open, 'fault.inject', 'west', {kind: 'freeze', args: {}, leaseMs: 600_000});
      expect(injected).toMatchObject({before: {answering: ['app'], silent: []}, leaseMs: 600_000});
      expect(runningReapers(ledger.dir)).toHaveLength(1);
      expect(await act(open, 'fault.heal', 'west', {})).toMatchObject({
        provenHealed: true,
        proof: 'no fault is active on west, and app answers',
      });
    });
    expect([records().length, runningReapers(ledger.dir).length]).toEqual([0, 0]);
  });

  it('keeps clean out as long as it runs', async () => {
    await withFleet(async (open) => {
      const lease = (await open.state()).lease('demo', 'drill-7');
      await expect(clean()).rejects.toMatchObject({exit: 75, message: expect.stringContaining('drill-7')});
      lease.release();
    });
  });

  it('injects nothing when it cannot be written down, or its reaper cannot be armed', async () => {
    writeFileSync(join(box.dir, 'a-file'), '');
    mkdirSync(join(box.dir, 'blocked'), {recursive: true});
    writeFileSync(join(box.dir, 'blocked', 'faults'), '');
    writeFileSync(join(box.dir, 'unwritable.yaml'), fleetText(SIGNALS, 'blocked'));
    const order = {kind: 'freeze', args: {}, leaseMs: 600_000};
    await withFleet((open) => expect(act(open, 'fault.inject', 'west', order)).rejects.toMatchObject({exit: 73}), 'unwritable.yaml');
    // What the fleet file says when the reaper reads it is what counts.
    writeFileSync(join(box.dir, 'changed.yaml'), fleetText(SIGNALS));
    await withFleet(async (open) => {
      writeFileSync(join(box.dir, 'changed.yaml'), 'version: 1\nfleet: [\n');
      await expect(act(open, 'fault.inject', 'west', order)).rejects.toMatchObject({code: 'reaper-failed', exit: 69});
    }, 'changed.yaml');
    expect([await west.answers(), records().length, runningReapers(ledger.dir).length]).toEqual([true, 0, 0]);
    expect(isRunning({pid: process.pid, start: processRow(process.pid)?.start ?? ''})).toBe(true);
  });
});
