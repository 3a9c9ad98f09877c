import {mkdir, rename} from 'node:fs/promises';
import {join} from 'node:path';
import type {LabContext} from './lab-context.ts';
import type {PortPicker} from './ports.ts';
import {runAsPostgres} from './postgres-binaries.ts';
import {tailOf} from './postgres-server.ts';
import {postgresqlConf} from './postgres-settings.ts';
import type {RegionMachine} from './region-machine.ts';
import {makeTemplate} from './template.ts';

/** Where the database is made that all regions are copies of; it is moved away when it is done. */
export const templateOf = (dataRoot: string) => join(dataRoot, 'template');

/** The database of the first region, from nothing, and its copies for the others. */
export async function buildData(context: LabContext, machines: readonly RegionMachine[]): Promise<void> {
  const {binaries, runAs, options, passwords, members} = context;
  // With peers, the first is one like the others.
  const [primary, ...standbys] = machines;
  if (primary === undefined) return;
  for (const machine of machines) await mkdir(machine.home, {mode: runAs.kind === 'uid' ? 0o711 : 0o700});
  const template = templateOf(context.dataRoot);
  const conf = postgresqlConf({
    ...{profile: options.profile, mode: options.mode, major: binaries.major},
    ...{member: primary.name, others: members.filter((member) => member !== primary.name)},
  });
  await makeTemplate({dir: template, binaries, runAs, conf, passwords, mode: options.mode});
  for (const {postgres} of standbys) {
    await runAsPostgres({kind: 'direct'}, 'cp', ['-a', '--reflink=auto', template, postgres.place.data], {cwd: context.dataRoot});
  }
  await rename(template, primary.postgres.place.data);
  await primary.writeOwnFiles(null);
  const upstream = options.mode === 'active-active' ? null : primary.name;
  for (const standby of standbys) await standby.writeOwnFiles(upstream);
}

/** Starts a server for the first time: a port that somebody took meanwhile is changed for another. */
export async function startFirst(machine: RegionMachine, ports: PortPicker, onPort: (port: number) => void): Promise<void> {
  const {postgres} = machine;
  for (let attempt = 1; ; attempt += 1) {
    onPort(postgres.port);
    try {
      return await postgres.start();
    } catch (error) {
      const taken = /could not bind|could not create any TCP\/IP sockets/.test(tailOf(postgres.place.log));
      if (!taken || attempt === 5) throw error;
      postgres.port = await ports.free();
    }
  }
}
