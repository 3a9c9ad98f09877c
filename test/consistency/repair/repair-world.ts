import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../../src/lib/fleet/load.ts';
import {audit} from '../../../src/lib/operate/audit.ts';
import {type Conducted, conductPlan, conductTakeUp} from '../../../src/lib/operate/conduct.ts';
import {planRepairOf, type RepairOptions} from '../../../src/lib/operate/repair-plan.ts';
import {keepRows, prepareRepair} from '../../../src/lib/operate/repair-run.ts';
import {findRun} from '../../../src/lib/operate/runs.ts';
import {worldOf} from '../../../src/lib/operate/world.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import {type OpenFleet, openFleet} from '../../../src/lib/providers/open-fleet.ts';
import {refuseShutGates} from '../../../src/lib/run/judge-gates.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {PASSWORD, type Server} from '../../servers/embedded.ts';

const life = new AbortController().signal;
const signal = (): AbortSignal => AbortSignal.timeout(60_000);

/** Writes a fleet file of servers in regions of their names, `consistency` as its YAML. */
export function writeFleet(dir: string, servers: readonly Server[], consistency: string, peers = true): string {
  mkdirSync(dir, {recursive: true});
  writeFileSync(join(dir, 'password'), `${PASSWORD}\n`, {mode: 0o600});
  const names = servers.map(({name}) => name);
  const regions = names.map(
    (name) =>
      `  ${name}: {jurisdiction: EU, tier: hot, failoverOrder: [${names.filter((other) => other !== name).join(', ')}], endpoints: {}}`,
  );
  const members = servers.map(({name, port}) => {
    const others = servers.filter((other) => other.name !== name).map((other) => `${other.name}: "127.0.0.1:${other.port}"`);
    return `      ${name}: {region: ${name}, address: "127.0.0.1:${port}", upstreams: {${others.join(', ')}}}`;
  });
  const file = join(dir, 'regionctl.yaml');
  writeFileSync(
    file,
    `version: 1
fleet: repairs
regions:
${regions.join('\n')}
stores:
  orders:
    engine: postgres
    database: orders
    user: regionctl
    password: "\${file:password}"
    replicationUser: replicator
    ${peers ? 'peers: true' : 'quorum: 0'}
    dataClasses: [content]
    consistency:
${consistency}
    members:
${members.join('\n')}
dataClasses:
  content: {rpo: 5m, allowed: [EU]}
hooks:
  decide: {run: [node, decide.mjs], timeout: 5s}
state: {kind: sqlite, dir: state}
`,
  );
  return file;
}

export async function openFile(file: string): Promise<OpenFleet> {
  const fleet: Fleet = await loadFleet(file, kindsOf(builtinProviders));
  return openFleet({fleet, providers: builtinProviders, clock: systemClock(), defaultStateDir: join(file, '..', 'state')});
}

/** Does something with a fleet that is opened for it alone. */
export async function withFleet<T>(file: string, work: (open: OpenFleet) => Promise<T>): Promise<T> {
  const open = await openFile(file);
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}

export async function auditAll(open: OpenFleet, tables: readonly string[] = [], limit = 10_000) {
  return audit(open, {
    ...{store: undefined, regions: [], tables, quick: false, resume: undefined, sliceMs: 1000, settleMs: 10_000, limit},
    ...{limits: {maxLagMs: null, maxLoad: null, waitMs: null}, onBegin: () => {}, onProgress: () => {}, signal: signal()},
  });
}

/** Plans a repair and saves it. */
export async function plan(open: OpenFleet, output: string, more: Partial<RepairOptions> = {}) {
  const {document, exit} = await planRepairOf(open, worldOf(open, {life}), {
    ...{store: undefined, audit: undefined, output, maxAgeMs: 3_600_000, settleMs: 10_000, overrides: []},
    ...{tables: [], keys: [], takes: [], onProgress: () => {}, signal: signal(), ...more},
  });
  writeFileSync(output, JSON.stringify(document));
  return {document, exit};
}

type Event = Parameters<NonNullable<Parameters<typeof conductPlan>[3]['onEvent']>>[0];

/** Runs a saved plan. */
export async function run(
  open: OpenFleet,
  file: string,
  text: string,
  {onEvent = () => {}, interrupt = life}: {readonly onEvent?: (event: Event) => void; readonly interrupt?: AbortSignal} = {},
): Promise<Conducted> {
  const world = worldOf(open, {life});
  const ready = await prepareRepair(open, world, {file, text, overrides: [], signal: signal()});
  refuseShutGates(ready);
  await keepRows(open, world, ready);
  return conductPlan(open, world, ready, {interrupt, leave: life, marks: [], onEvent});
}

/** Goes on with the last run, or takes it back. */
export async function takeUp(open: OpenFleet, going: 'forward' | 'back'): Promise<Conducted> {
  const found = await findRun(open, 'last');
  return conductTakeUp(open, worldOf(open, {life, resumed: true}), found, {interrupt: life, leave: life, going, reason: 'a test'});
}
