import {join} from 'node:path';
import {openMesh} from './active-active-mesh.ts';
import {startFirst} from './build-regions.ts';
import type {PortPicker} from './ports.ts';
import type {LabMode} from './record.ts';
import type {RegionMachine} from './region-machine.ts';
import type {RegionPaths} from './region-paths.ts';
import {waitForReplication} from './replication-ready.ts';

/** What a first start needs. `password` is the superuser's; `changed` is called when a port may be another one. */
export type FirstStart = {
  readonly machines: readonly RegionMachine[];
  readonly mode: LabMode;
  readonly paths: RegionPaths;
  readonly ports: PortPicker;
  readonly password: string;
  readonly changed: () => void;
  readonly deadlineMs: number;
};

/** Starts databases and services for the first time, and answers when they replicate as the mode says. */
export async function startRegions(first: FirstStart): Promise<void> {
  await (first.mode === 'active-active' ? startPeers(first) : startFollowers(first));
}

/** The primary first: a standby whose first attempt fails waits before it tries again. */
async function startFollowers(first: FirstStart): Promise<void> {
  const {machines, mode, password, deadlineMs} = first;
  const [primary, ...standbys] = machines;
  if (primary === undefined) return;
  await startDatabase(first, primary);
  await allOf([
    startService(first, primary),
    ...standbys.map(async (standby) => startDatabase(first, standby).then(() => startService(first, standby))),
  ]);
  const quorum = mode === 'quorum';
  await waitForReplication({port: primary.postgres.port, password, standbys: standbys.length, quorum}, deadlineMs);
}

/** No service before the mesh: what is written before it is there reaches nobody. */
async function startPeers(first: FirstStart): Promise<void> {
  const {machines, password, deadlineMs} = first;
  await allOf(machines.map((machine) => startDatabase(first, machine)));
  const peers = machines.map(({name, home, links, postgres}) => ({name, links, port: postgres.port, passfile: join(home, 'pgpass')}));
  await openMesh(peers, password, deadlineMs);
  await allOf(machines.map((machine) => startService(first, machine)));
}

async function startDatabase({ports, paths, changed}: FirstStart, machine: RegionMachine): Promise<void> {
  await startFirst(machine, ports, (port) => paths.lead(machine.name, 'postgres', port));
  changed();
}

async function startService({ports, paths}: FirstStart, machine: RegionMachine): Promise<void> {
  await machine.startService(ports);
  paths.lead(machine.name, 'http', machine.servicePort);
}

/** Fails only when nobody starts anything any more. */
async function allOf(starts: readonly Promise<void>[]): Promise<void> {
  for (const each of await Promise.allSettled(starts)) if (each.status === 'rejected') throw each.reason;
}
