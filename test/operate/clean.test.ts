import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {faultLedger} from '../../src/lib/drill/fault-ledger.ts';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import {cleanFaults} from '../../src/lib/operate/clean.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {entryWith} from '../drill/faults.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {tempDir} from '../state/temp-dir.ts';

/** Two regions and a route; `active` are the faults of each. An endpoint of a region that `mute` names is silent. */
function world(active: Readonly<Record<string, string[]>> = {}, more: Partial<Fault> | null = {}) {
  const clock = fakeClock();
  const state = {active: {...active} as Record<string, string[]>, mute: [] as string[], healed: [] as string[], leases: 0};
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
  const fleet = {name: 'lab', regions: names.map((name) => ({name})), routes: [{name: 'door', url: null}], stores: []} as unknown as Fleet;
  const open = {
    ...{fleet, clock, stateDir, uplinks: [], fault: more === null ? null : port},
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
      holder: () => null,
      lease: () => {
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
  return {clean, state, ledger, records, clock};
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
