import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {fleetProblems, loadFleet} from '../../src/lib/fleet/load.ts';
import {builtinProviders} from '../../src/lib/providers/builtin.ts';

const dir = mkdtempSync(join(tmpdir(), 'witness-stores-'));
const file = join(dir, 'regionctl.yaml');
const kinds = kindsOf(builtinProviders);
const env = {PASSWORD: 'hunter2-secret'};
const password = `$${'{env:PASSWORD}'}`;
afterAll(() => rmSync(dir, {recursive: true}));

function write({
  stores = '[orders, cache]',
  role = `{user: watcher, password: "${password}"}`,
}: {
  stores?: string;
  role?: string | null;
} = {}) {
  const lines = [
    'version: 1',
    'fleet: shop',
    'regions: {us: {jurisdiction: US}}',
    'stores:',
    '  orders:',
    '    engine: postgres',
    `    {database: orders, user: regionctl, password: "${password}", replicationUser: replicator}`,
    '    members: {us: {region: us, address: "10.0.0.1:5432"}}',
    '  cache: {engine: redis, members: {us: {region: us, address: "10.0.0.1:6379"}}}',
    `witness: {allowed: true, url: "https://shop.example.com/orders", stores: ${stores}}`,
    '',
  ];
  const keys = ['database: orders', 'user: regionctl', `password: "${password}"`, 'replicationUser: replicator'];
  if (role !== null) keys.push(`witness: ${role}`);
  lines.splice(6, 1, ...keys.map((key) => `    ${key}`));
  writeFileSync(file, lines.join('\n'));
}
const problems = async () =>
  (await fleetProblems(file, kinds, env)).map(({path, message, suggestion}) => `${path.join('.')}: ${message} | ${suggestion}`);

describe('the stores that the witness may write to', () => {
  it('are none unless they are named', async () => {
    write();
    expect((await loadFleet(file, kinds, env)).witness).toMatchObject({stores: ['orders', 'cache'], everyMs: 20});
    write({stores: '[]', role: null});
    expect((await loadFleet(file, kinds, env)).witness).toMatchObject({stores: []});
  });

  it('have a role for it, which is not the one that fences', async () => {
    write({role: null});
    expect(await problems()).toEqual([
      'witness.stores.0: "orders" cannot be written to: stores.orders has no "witness" | Add "witness" to stores.orders, or take it out of this list. docs/witness.md says more.',
    ]);
    write({role: `{user: regionctl, password: "${password}"}`});
    expect(await problems()).toEqual([
      'stores.orders.witness.user: the witness cannot write as "regionctl": no fence shuts out the role that fences | Give the witness a role of its own, which may do nothing else.',
    ]);
    write({role: '{user: watcher, password: hunter2-secret}'});
    expect((await problems()).join()).not.toContain('hunter2');
  });

  it('stand there once', async () => {
    write({stores: '[cache, cache]'});
    expect(await problems()).toEqual(['witness.stores.1: "cache" stands here twice | Keep one of the two.']);
  });
});
