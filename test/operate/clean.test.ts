import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {describe, expect, it} from 'vitest';
import {faultLedger} from '../../src/lib/drill/fault-ledger.ts';
import {stateError} from '../../src/lib/errors.ts';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import {cleanFaults} from '../../src/lib/operate/clean.ts';
import {removeOperatorLogs} from '../../src/lib/operate/operator-logs.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {leaseFileName} from '../../src/lib/state/files.ts';
import {entryWith} from '../drill/faults.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {tempDir} from '../state/temp-dir.ts';

/** Two regions and a route; `active` are the faults of each. An endpoint of a region that `mute` names is silent. */
function world(active: Readonly<Record<string, string[]>> = {}, more: Partial<Fault> | null = {}) {
  const clock = fakeClock();
  const state = {
    active: {...active} as Record<string, string[]>,
    mute: [] as string[],
    healed: [] as string[],
    cleaned: [] as string[],
    leases: 0,
    noted: [] as unknown[],
    runs: [] as string[],
    trouble: null as Error | null,
    shut: null as Error | null,
  };
  const stateDir = tempDir();
  const ledger = faultLedger(stateDir);
  const port: Fault = {
    kinds: ['freeze'],
    inject: async () => null,
    heal: async (_, region) => {
      state.healed.push(region);
      state.active[region] = [];
    },
    active: async (region) => known(state.active[region] ?? [], 0, 'test'),
    ...more,
  };
  const names = ['east', 'west'];
  const orders = {abilities: {witness: {clean: async (run: string) => void state.cleaned.push(run)}}};
  const fleet = {
    name: 'lab',
    regions: names.map((name) => ({name})),
    routes: [{name: 'door', url: null}],
    stores: [],
    witness: {stores: ['orders']},
  } as unknown as Fleet;
  const open = {
    ...{fleet, clock, stateDir, uplinks: [], stores: {orders}, fault: more === null ? null : port},
    probes: names.map((region) => ({
      endpoint: {name: 'app', region, timeoutMs: 100, probe: {kind: 'x', config: {}, path: []}},
      probe: {
        check: async () => ({
          ok: !state.mute.includes(region),
          code: state.mute.includes(region) ? 'timeout' : 'ok',
          latencyMs: 1,
          detail: '',
        }),
      },
      others: [],
    })),
    state: async () => ({
      ...(state.shut === null ? {} : await Promise.reject(state.shut)),
      holder: () => null,
      runs: () => state.runs.map((runId) => ({runId})),
      plan: (runId: string) => (runId === 'of-others' || state.runs.includes(runId) ? {} : null),
      events: (runId: string) =>
        state.noted.flatMap((each) => {
          const [of, data] = each as [string, unknown];
          return of === runId ? [{type: 'note', step: null, data}] : [];
        }),
      append: (runId: string, line: {data: unknown}) => void state.noted.push([runId, line.data]),
      lease: () => {
        if (state.trouble !== null) throw state.trouble;
        state.leases += 1;
        return {release: () => void Object.assign(state, {leases: state.leases - 1})};
      },
    }),
  } as unknown as OpenFleet;
  const clean = async (dryRun = false) => {
    const {document, exit} = await cleanFaults(open, {signal: new AbortController().signal, dryRun});
    return {...document, exit};
  };
  const records = () => ledger.list('lab').entries.map(({id}) => id);
  return {clean, state, ledger, records, clock, stateDir};
}
const before = {answering: ['app'], silent: []};

describe('cleaning', () => {
  it('heals each place that has a fault, whoever injected it, and no other', async () => {
    const {clean, ledger, records, state} = world({east: ['freeze'], door: ['cut']});
    ledger.write(entryWith({before}));
    expect(await clean()).toMatchObject({
      ...{exit: 0, verdict: 'healed', removed: 0},
      found: [
        {
          fault: 'freeze',
          region: 'east',
          runId: 'drill-1',
          since: '2027-01-15T08:00:00.000Z',
          leaseEndsAt: '2027-01-15T08:01:00.000Z',
          provenHealed: true,
        },
        {fault: 'cut', region: 'door', runId: null, since: null, leaseEndsAt: null, healed: true, provenHealed: true},
      ],
    });
    expect([state.healed.toSorted(), records(), state.leases]).toEqual([['door', 'east'], [], 0]);
    expect(await clean()).toMatchObject({exit: 0, verdict: 'none', found: []});
  });

  it('lets a heal take the time that the injector says it may take', async () => {
    const allowed: number[] = [];
    const slow = {healMs: 540_000, heal: async (ctx: Ctx) => void allowed.push(ctx.deadline - ctx.now())};
    const {clean} = world({east: ['freeze']}, slow);
    await clean();
    expect(allowed[0]).toBe(555_000);
  });

  it('touches nothing in a dry run', async () => {
    const {clean, ledger, records, state} = world({east: ['freeze']});
    ledger.write(entryWith());
    ledger.write(entryWith({id: 'over', region: 'west'}));
    expect(await clean(true)).toMatchObject({
      exit: 1,
      verdict: 'left',
      found: [{region: 'east', healed: false, provenHealed: null}],
      removed: 1,
    });
    expect([state.healed, records().length]).toEqual([[], 2]);
  });

  it('takes the record of a fault away that has ended by itself, and finds nothing', async () => {
    const {clean, ledger, records, state} = world();
    ledger.write(entryWith({before}));
    expect(await clean()).toMatchObject({exit: 0, verdict: 'none', found: [], removed: 1});
    expect([state.healed, records()]).toEqual([[], []]);
  });

  it('does not believe that a fault has ended while what answered before is silent', async () => {
    const {clean, ledger, records, state} = world({east: ['freeze']});
    ledger.write(entryWith({before}));
    state.mute = ['east'];
    expect(await clean()).toMatchObject({
      ...{exit: 2, verdict: 'not-proven'},
      found: [{healed: true, provenHealed: false, says: 'no fault is active on east, and app does not answer'}],
    });
    expect(records()).toEqual(['f1']);
  });

  it('says unknown when the injector cannot be asked, also without any record', async () => {
    const dumb = {
      active: async () => unknown('unreachable', 'no answer', 0),
      heal: async () => Promise.reject(new Error('connection refused')),
    };
    const {clean} = world({}, dumb);
    const found = ['east', 'west', 'door'].map((region) => ({
      fault: null,
      region,
      healed: false,
      provenHealed: null,
      says: 'connection refused',
    }));
    expect(await clean()).toMatchObject({exit: 3, verdict: 'unknown', found});
    expect(await clean(true)).toMatchObject({exit: 3, verdict: 'unknown'});
  });

  it('says unknown as long as an injection that was cut short may go on by itself', async () => {
    const {clean, ledger, records, clock} = world();
    ledger.write(entryWith({injected: false, lateMs: 30_000, since: clock.wall(), by: {pid: 2 ** 22 - 1, start: '1'}}));
    expect(await clean()).toMatchObject({
      ...{exit: 3, verdict: 'unknown'},
      found: [{provenHealed: null, says: expect.stringContaining('may go on by itself until 2027-01-15T08:00:30.000Z')}],
    });
    expect(records()).toEqual(['f1']);
    clock.advance(30_000);
    expect(await clean()).toMatchObject({exit: 0, verdict: 'none', removed: 1});
  });

  it('says unknown of a record that it cannot read, and of faults without an injector', async () => {
    const {clean, ledger} = world();
    ledger.write(entryWith({id: 'x', region: 'west'}));
    writeFileSync(join(ledger.dir, 'torn.json'), '{');
    expect(await clean()).toMatchObject({exit: 3, found: [{fault: null, says: expect.stringContaining('torn.json')}]});
    expect(readdirSync(ledger.dir)).toEqual(['torn.json']);
    const without = world({}, null);
    expect(await without.clean()).toMatchObject({exit: 0, verdict: 'none'});
    without.ledger.write(entryWith());
    expect(await without.clean()).toMatchObject({exit: 3, verdict: 'unknown', found: [{fault: 'freeze', region: 'east'}]});
  });
});

const FULL = stateError('state-full', 'The disk that holds /state/state.db is full.');

describe('cleaning where nothing can be recorded', () => {
  it('heals and proves all the same, and says so', async () => {
    const {clean, ledger, records, state} = world({east: ['freeze']});
    ledger.write(entryWith({before}));
    state.trouble = FULL;
    expect(await clean()).toMatchObject({
      ...{exit: 0, verdict: 'healed', found: [{region: 'east', provenHealed: true}]},
      troubles: ['nothing can be recorded: The disk that holds /state/state.db is full.'],
    });
    expect([state.healed, records(), state.noted]).toEqual([['east'], [], []]);
  });

  it('is refused (75) as long as the lock of a lease says that a run acts', async () => {
    for (const name of ['lab', 'lab drill']) {
      const {clean, state, stateDir} = world({east: ['freeze']});
      state.trouble = FULL;
      const held = new DatabaseSync(join(stateDir, leaseFileName(name)));
      held.exec('BEGIN EXCLUSIVE');
      await expect(clean()).rejects.toMatchObject({exit: 75, message: expect.stringContaining(`"${name}" is held`)});
      expect(state.healed).toEqual([]);
      held.close();
      expect(await clean()).toMatchObject({verdict: 'healed'});
    }
  });

  it('heals where the records can neither be read nor removed', async () => {
    const {clean, state, stateDir} = world({east: ['freeze']});
    writeFileSync(join(stateDir, 'faults'), '');
    expect(await clean()).toMatchObject({
      exit: 3,
      found: [{region: 'east', provenHealed: true}, {says: expect.stringContaining('faults cannot be read')}],
    });
    expect(state.healed).toEqual(['east']);
  });
});

describe('what drills that were killed have left beside faults', () => {
  const record = (more: object) => JSON.stringify({store: 'orders', members: ['us'], cleaned: false, lost: false, row: null, ...more});
  const fileOf = (stateDir: string, run: string, store = 'orders') => join(stateDir, 'witness', `${run}.${store}.store-witness.json`);
  const place = (stateDir: string, ...files: (readonly [string, string])[]) => {
    mkdirSync(join(stateDir, 'witness'), {recursive: true});
    for (const [file, text] of files) writeFileSync(file, text);
  };

  it('is removed from the stores that may be written to, by this fleet only, and a second cleaning finds nothing', async () => {
    const {clean, state, stateDir} = world();
    state.runs = ['drill-1', 'drill-2'];
    place(
      stateDir,
      [fileOf(stateDir, 'drill-1'), record({})],
      [fileOf(stateDir, 'drill-2'), record({members: []})],
      [fileOf(stateDir, 'drill-3'), record({cleaned: true, row: {}})],
      [fileOf(stateDir, 'of-others'), record({})],
      [fileOf(stateDir, 'gone'), record({fleet: 'shop'})],
    );
    const says = 'what the witness of drill-1 wrote to orders';
    expect(await clean(true)).toMatchObject({
      exit: 1,
      verdict: 'none',
      witness: [{removed: false, says: `${says} is left`}, {runId: 'drill-2'}],
    });
    expect(state.cleaned).toEqual([]);
    expect(await clean()).toMatchObject({
      exit: 0,
      witness: [{store: 'orders', runId: 'drill-1', removed: true, says: `${says} was removed`}, {removed: true}],
    });
    expect(state.cleaned).toEqual(['drill-1', 'drill-2']);
    expect(JSON.parse(readFileSync(fileOf(stateDir, 'drill-1'), 'utf8'))).toMatchObject({cleaned: true, lost: true});
    expect(await clean()).toMatchObject({exit: 0, verdict: 'none', found: [], witness: [], logs: 0, troubles: []});
  });

  it('is removed without the state, too, where its record names the fleet', async () => {
    const {clean, state, stateDir} = world();
    place(stateDir, [fileOf(stateDir, 'ours'), record({fleet: 'lab'})], [fileOf(stateDir, 'theirs'), record({fleet: 'shop'})]);
    state.shut = FULL;
    expect(await clean()).toMatchObject({witness: [{runId: 'ours', removed: true}], troubles: [expect.stringContaining('is full')]});
    place(stateDir, [fileOf(stateDir, 'of-whom'), record({})]);
    const again = await clean();
    expect([again.witness, again.troubles.at(-1), state.cleaned]).toEqual([[], expect.stringContaining('whose runs these were'), ['ours']]);
  });

  it('is left, and told, where the fleet file does not allow it any more, or the store does not answer', async () => {
    const {clean, state, stateDir} = world();
    place(stateDir, [fileOf(stateDir, 'drill-1', 'carts'), record({store: 'carts'})], [fileOf(stateDir, 'drill-2', 'x'), '{']);
    expect(await clean()).toMatchObject({
      exit: 1,
      witness: [{store: 'carts', removed: false, says: expect.stringContaining('does not let regionctl write there any more')}],
      troubles: [expect.stringContaining('drill-2.x.store-witness.json cannot be read')],
    });
    expect(state.cleaned).toEqual([]);
  });

  it('are files of operators whose process is gone; those of one that runs stay', async () => {
    const {clean, stateDir} = world();
    const gone = 2 ** 22 - 1;
    const dir = join(stateDir, 'witness');
    const mine = `drill-1.operator-${process.pid}-17.log`;
    place(
      stateDir,
      ...[`operator-${gone}-17.log`, `drill-1.operator-${gone}-17.log`, mine].map((name) => [join(dir, name), 'said'] as const),
    );
    expect(await clean(true)).toMatchObject({exit: 0, logs: 2});
    expect(await clean()).toMatchObject({exit: 0, verdict: 'none', logs: 2});
    expect(readdirSync(dir)).toEqual([mine]);
    expect(await clean()).toMatchObject({logs: 0});
    expect([await removeOperatorLogs(stateDir, {runId: 'drill-2'}), await removeOperatorLogs(stateDir, {runId: 'drill-1'})]).toEqual([
      0, 1,
    ]);
  });
});

it('the end of what was healed here is written into the journal of its run, and of no run that is not known', async () => {
  const {clean, ledger, state} = world({east: ['freeze'], west: ['freeze']});
  state.runs = ['drill-1'];
  ledger.write(entryWith({before}));
  ledger.write(entryWith({id: 'f2', region: 'west', runId: 'drill-0'}));
  await clean();
  const ended = {fault: 'freeze', region: 'east', at: '2027-01-15T08:00:00.000Z', by: 'heal'};
  expect(state.noted).toEqual([['drill-1', {says: 'freeze on east was healed, by another process than that of the run', ended}]]);
});

it('the end of what an earlier cleaning had healed and could not prove is written down too, once, and as its lease where that was over', async () => {
  const {clean, ledger, state, clock} = world({east: ['freeze']});
  state.runs = ['drill-1'];
  ledger.write(entryWith({before}));
  state.mute = ['east'];
  expect(await clean()).toMatchObject({verdict: 'not-proven'});
  expect(state.noted).toEqual([]);
  state.mute = [];
  const early = {...state};
  expect(await clean()).toMatchObject({verdict: 'none', removed: 1});
  expect(state.noted).toMatchObject([['drill-1', {ended: {fault: 'freeze', region: 'east', by: 'heal'}}]]);
  ledger.write(entryWith({before}));
  await clean();
  expect(state.noted).toHaveLength(1);
  state.noted = [];
  ledger.write(entryWith({before}));
  clock.advance(24 * 3_600_000);
  await clean();
  expect([early.noted, state.noted]).toMatchObject([expect.anything(), [['drill-1', {ended: {by: 'lease'}}]]]);
});
