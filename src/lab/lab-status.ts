import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {isRunning, processesIn, processTable, treeOf} from '../lib/processes.ts';
import type {ActiveFault} from './faults.ts';
import type {LabMode, LabProfile, LabRecord, RegionRecord} from './record.ts';

/** What runs of a region now. `partial` = some of it, or some of it stopped. */
export type MachineState = 'running' | 'stopped' | 'frozen' | 'partial';

/** One region in `lab status`. `http` and `postgres` lead through the region's ingress, `direct` past every fault. */
export type RegionStatus = {
  readonly region: string;
  /** null = its database does not run. */
  readonly role: 'primary' | 'standby' | 'peer' | null;
  readonly state: MachineState;
  readonly http: string;
  readonly postgres: string;
  readonly direct: {readonly http: string; readonly postgres: string};
  readonly pids: readonly number[];
};

/** The document of `lab status`. `faults` null = the supervisor, who knows them, does not answer. */
export type LabStatus = {
  readonly dir: string;
  readonly profile: LabProfile;
  readonly mode: LabMode;
  readonly postgres: string;
  readonly regions: readonly RegionStatus[];
  readonly frontDoor: string | null;
  readonly fleetFile: string;
  readonly faults: readonly ActiveFault[] | null;
  readonly supervisor: {readonly pid: number; readonly running: boolean};
};

/** The lab as its record and the process table show it. */
export function statusOf(record: LabRecord, faults: readonly ActiveFault[] | null): LabStatus {
  const table = processTable();
  return {
    dir: record.dir,
    profile: record.profile,
    mode: record.mode,
    postgres: record.postgres,
    regions: record.regions.map((region) => regionStatus(region, record.mode, table)),
    frontDoor: record.frontDoor === null ? null : urlOf(record.frontDoor),
    fleetFile: join(record.dir, 'regionctl.yaml'),
    faults,
    supervisor: {pid: record.supervisor.pid, running: isRunning(record.supervisor, table)},
  };
}

/** Every process of a region, found by its roots and by where it works. */
export function pidsOf(region: RegionRecord, table = processTable()): readonly number[] {
  return [...new Set([...treeOf([region.postmaster, region.service], table), ...processesIn(region.home, table)])];
}

function regionStatus(region: RegionRecord, mode: LabMode, table: ReturnType<typeof processTable>): RegionStatus {
  const pids = pidsOf(region, table);
  const stopped = pids.filter((pid) => table.get(pid)?.state === 'T').length;
  const database = isRunning(region.postmaster, table);
  const whole = database && isRunning(region.service, table) && stopped === 0;
  const state = pids.length === 0 ? 'stopped' : stopped === pids.length ? 'frozen' : whole ? 'running' : 'partial';
  const standby = existsSync(join(region.data, 'standby.signal'));
  return {
    region: region.name,
    role: database ? (standby ? 'standby' : mode === 'active-active' ? 'peer' : 'primary') : null,
    state,
    http: urlOf(region.ingress.http),
    postgres: `127.0.0.1:${region.ingress.postgres}`,
    direct: {http: urlOf(region.direct.http), postgres: `127.0.0.1:${region.direct.postgres}`},
    pids,
  };
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`;
