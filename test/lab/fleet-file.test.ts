import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it, onTestFinished} from 'vitest';
import {fleetFileText} from '../../src/lab/fleet-file.ts';
import {makeSecrets} from '../../src/lab/lab-place.ts';
import type {LabMode, LabRecord} from '../../src/lab/record.ts';
import {labRegions} from '../../src/lab/regions.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {builtinProviders} from '../../src/lib/providers/builtin.ts';

function recordOf(dir: string, count: number, mode: LabMode): LabRecord {
  const names = labRegions(count).map(({name}) => name);
  const regions = labRegions(count).map((region, index) => ({
    ...region,
    ...{home: join(dir, 'data', region.name), data: join(dir, 'data', region.name, 'data'), service: null, postmaster: null},
    ingress: {http: 20_001 + index * 10, postgres: 20_002 + index * 10, agent: 20_003 + index * 10},
    direct: {http: 21_001 + index * 10, postgres: 21_002 + index * 10, agent: 21_003 + index * 10},
    links: Object.fromEntries(names.flatMap((name, other) => (name === region.name ? [] : [[name, 22_000 + index * 10 + other]]))),
  }));
  return {
    ...{version: 1, dir, profile: 'fast', mode, postgres: '18.4', startedAt: '2026-01-01T00:00:00.000Z'},
    ...{supervisor: {pid: 1, start: '1'}, control: 20_100, frontDoor: 20_101, dataRoot: join(dir, 'data'), regions},
  };
}

async function fleetOf(count: number, mode: LabMode) {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-lab-fleet-'));
  onTestFinished(() => rmSync(dir, {recursive: true, force: true}));
  await makeSecrets(dir);
  const file = join(dir, 'regionctl.yaml');
  writeFileSync(file, fleetFileText(recordOf(dir, count, mode), './fleet.schema.json'));
  return loadFleet(file, kindsOf(builtinProviders));
}

it.each([
  [2, 'quorum'],
  [3, 'async'],
  [7, 'quorum'],
] as const)('the fleet file of %i regions (%s) is one that regionctl accepts', async (count, mode) => {
  const fleet = await fleetOf(count, mode);
  expect(fleet.regions).toHaveLength(count);
  expect(fleet.regions[0]?.failoverOrder[0]).toBe('eu-west');
  expect(fleet.stores[0]).toMatchObject({quorum: mode === 'quorum' ? 1 : 0});
  expect(fleet.dataClasses[0]).toMatchObject({rpoMs: mode === 'quorum' ? 0 : 300_000});
  expect(fleet.routes[0]?.weights).toMatchObject({'us-east': 100, 'eu-west': 0});
});

it.each([2, 7])('the fleet file of %i regions that all take writes says so, and how their rows are judged', async (count) => {
  const fleet = await fleetOf(count, 'active-active');
  const [store] = fleet.stores;
  expect(store).toMatchObject({quorum: 0, config: {peers: true}});
  expect(new Set(Object.values(fleet.routes[0]?.weights ?? {}))).toEqual(new Set([100]));
  expect(fleet.witness?.stores).toEqual([]);
  const none = {merge: {}, vectorClock: null, hlc: null, region: null, tombstone: null, policy: {kind: 'siblings'}};
  expect(store?.consistency).toEqual({
    only: ['public.orders', 'public.profiles', 'public.likes', 'public.members'],
    ignore: [],
    tables: {
      'public.orders': {...none, hlc: 'hlc', region: 'region', tombstone: 'deleted', policy: {kind: 'newest'}},
      'public.profiles': {...none, merge: {versions: 'mv-register'}},
      'public.likes': {...none, merge: {counts: 'pn-counter'}},
      'public.members': {...none, merge: {members: 'or-set'}},
    },
  });
});
