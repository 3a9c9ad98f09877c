import {existsSync} from 'node:fs';
import {copyFile, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {markOf} from '../lib/processes.ts';
import {createAgent} from './agent.ts';
import {buildData} from './build-regions.ts';
import {type ControlledLab, createControl} from './control-api.ts';
import {FaultDesk, type FaultKinds} from './fault-desk.ts';
import type {ActiveFault, EndedFault} from './faults.ts';
import {fleetFileText} from './fleet-file.ts';
import {FrontDoor} from './front-door.ts';
import type {LabContext, LabOptions} from './lab-context.ts';
import {chooseDataRoot, makeSecrets} from './lab-place.ts';
import {type LabStatus, statusOf} from './lab-status.ts';
import {PortPicker} from './ports.ts';
import {chooseRunAs, findBinaries} from './postgres-binaries.ts';
import {type LabRecord, makeDataRoot, type RegionRecord, writeRecord} from './record.ts';
import {RegionMachine} from './region-machine.ts';
import {RegionPaths} from './region-paths.ts';
import {labRegions} from './regions.ts';
import {startRegions} from './start-regions.ts';
import {endProcesses} from './sweep.ts';
import {firstWeights, type Weights} from './weights.ts';

const READY_MS = 60_000;

/** Owns a lab: its regions, the paths between them, the front door, the faults and their leases. It starts nothing again by itself. */
export class Supervisor implements ControlledLab {
  readonly #options: LabOptions;
  readonly #onShutdown: () => void;
  readonly #ports = new PortPicker();
  readonly #machines = new Map<string, RegionMachine>();
  readonly #faults = new FaultDesk({machines: this.#machines, paths: () => this.#paths, door: () => this.#door});
  readonly #agentPorts = new Map<string, number>();
  #paths: RegionPaths | null = null;
  #door: FrontDoor | null = null;
  #base: LabRecord;
  #starting: Promise<unknown> | null = null;
  #stopping = false;

  /** `onShutdown` is called when the lab was asked to end; the process then calls `stop`. */
  constructor(options: LabOptions, onShutdown: () => void) {
    this.#options = options;
    this.#onShutdown = onShutdown;
    const {dir, profile, mode} = options;
    const supervisor = markOf(process.pid) ?? {pid: process.pid, start: ''};
    this.#base = {
      ...{version: 1, dir, profile, mode, postgres: '', startedAt: new Date().toISOString()},
      ...{supervisor, control: null, frontDoor: null, dataRoot: join(dir, 'data'), regions: []},
    };
  }

  /** Builds and starts everything. When it resolves, all standbys stream and the front door serves. Once it was told to stop, it fails. */
  start(): Promise<LabStatus> {
    const starting = this.#start();
    this.#starting = starting;
    return starting;
  }

  async #start(): Promise<LabStatus> {
    const options = this.#options;
    const {dir} = options;
    const dataRoot = await chooseDataRoot(dir, options.profile);
    this.#update({dataRoot}); // Before anything is made: what cannot be found cannot be removed.
    await makeDataRoot(this.record());
    for (const folder of ['logs', 'state']) await mkdir(join(dir, folder), {recursive: true, mode: 0o700});
    const secrets = await makeSecrets(dir);
    const found = await findBinaries(options.postgresBin);
    if (options.mode === 'active-active' && found.major < 16)
      throw new Error(`active-active needs PostgreSQL 16 or newer: ${found.version} cannot tell whose changes a subscription takes`);
    const {runAs, binaries} = await chooseRunAs(found, join(dataRoot, 'postgres'));
    this.#update({postgres: binaries.version});
    const members = labRegions(options.regions).map(({name}) => name);
    const context: LabContext = {options, dataRoot, binaries, runAs, members, passwords: secrets, changed: () => this.#update({})};
    const paths = await this.#openPaths(context, secrets.control);
    this.#goOn();
    await buildData(context, [...this.#machines.values()]);
    this.#goOn();
    await startRegions({
      ...{machines: [...this.#machines.values()], mode: options.mode, paths, ports: this.#ports, password: secrets.regionctl},
      ...{changed: () => this.#update({}), deadlineMs: READY_MS},
    });
    this.#goOn();
    await this.#openFrontDoor(paths, members);
    await this.#openControl(secrets.control);
    await this.#writeFleetFile();
    this.#goOn();
    return this.status();
  }

  /** Ends every process and closes every port. The files stay. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#faults.close();
    await endProcesses(this.record());
    // A start that is under way makes new processes and files, until it finds that those before are gone.
    let over = this.#starting === null;
    const starting = this.#starting
      ?.catch(() => {})
      .then(() => {
        over = true;
      });
    while (!over) {
      await Promise.race([starting, sleep(20)]);
      await endProcesses(this.record());
    }
  }

  #goOn(): void {
    if (this.#stopping) throw new Error('it was told to stop');
  }

  get regions(): readonly string[] {
    return [...this.#machines.keys()];
  }

  record(): LabRecord {
    return {...this.#base, regions: labRegions(this.#options.regions).flatMap((region) => this.#regionRecord(region) ?? [])};
  }

  status(): LabStatus {
    return statusOf(this.record(), this.#faults.all);
  }

  weights(): Weights {
    return this.#door?.weights ?? {};
  }

  setWeights(weights: Weights): void {
    if (this.#door !== null) this.#door.weights = weights;
  }

  cut(region: string): number {
    return this.#door?.cut(region) ?? 0;
  }

  faults(): readonly ActiveFault[] {
    return this.#faults.all;
  }

  endedFaults(): readonly EndedFault[] {
    return this.#faults.ended;
  }

  faultKinds(): Promise<FaultKinds> {
    return this.#faults.kinds();
  }

  inject(fault: ActiveFault): Promise<void> {
    return this.#faults.inject(fault);
  }

  heal(region: string): Promise<void> {
    return this.#faults.heal(region);
  }

  shutdown(): void {
    this.#onShutdown();
  }

  async #openPaths(context: LabContext, token: string): Promise<RegionPaths> {
    const paths = await RegionPaths.open(context.members, this.#ports);
    this.#paths = paths;
    for (const name of context.members) {
      const machine = new RegionMachine(context, name, await this.#ports.free());
      machine.servicePort = await this.#ports.free();
      machine.links = paths.linkPorts.get(name) ?? {};
      this.#machines.set(name, machine);
      const port = await this.#ports.listen(createAgent({machine, token, thawed: () => this.#thawed(name)}));
      this.#agentPorts.set(name, port);
      paths.lead(name, 'agent', port);
    }
    this.#update({});
    return paths;
  }

  async #openFrontDoor(paths: RegionPaths, members: readonly string[]): Promise<void> {
    const doors = new Map([...paths.doorPorts].map(([region, {http}]) => [region, http]));
    this.#door = new FrontDoor(doors, firstWeights(members, this.#options.mode));
    const port = await this.#door.listen(this.#ports);
    this.#update({frontDoor: port});
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {signal: AbortSignal.timeout(READY_MS)});
    if (!answer.ok) throw new Error(`the front door answered ${answer.status}: ${await answer.text()}`);
  }

  async #openControl(token: string): Promise<void> {
    this.#update({control: await this.#ports.listen(createControl(this, token))});
  }

  async #writeFleetFile(): Promise<void> {
    const {dir, schemaFile} = this.#options;
    const schema = schemaFile !== null && existsSync(schemaFile) ? 'fleet.schema.json' : null;
    if (schemaFile !== null && schema !== null) await copyFile(schemaFile, join(dir, schema));
    await writeFile(join(dir, 'regionctl.yaml'), fleetFileText(this.record(), schema === null ? null : `./${schema}`));
  }

  async #thawed(region: string): Promise<void> {
    while (this.#machines.get(region)?.condition.frozen === true) await sleep(20);
  }

  #update(part: Partial<LabRecord>): void {
    this.#base = {...this.#base, ...part};
    if (!this.#stopping) writeRecord(this.record());
  }

  #regionRecord({name, jurisdiction}: {name: string; jurisdiction: string}): RegionRecord | null {
    const machine = this.#machines.get(name);
    const ingress = this.#paths?.doorPorts.get(name);
    if (machine === undefined || ingress === undefined) return null;
    const direct = {http: machine.servicePort, postgres: machine.postgres.port, agent: this.#agentPorts.get(name) ?? 0};
    const {home, links} = machine;
    return {name, jurisdiction, home, data: machine.postgres.place.data, ingress, direct, links, ...machine.marks};
  }
}
