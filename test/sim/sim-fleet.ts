import {Commits} from './commits.ts';
import {Net} from './net.ts';
import {type Random, random} from './random.ts';
import {Scheduler} from './scheduler.ts';
import {type Ack, type Ground, type Rec, type Rule, Server, type Write} from './server.ts';
import {keepFollowing} from './stream.ts';
import {Truth} from './truth.ts';
import {SimRouter, Writer, type WriterSpec} from './writers.ts';

/** The members of a fleet; each is its region too. The first is the primary at the start. */
export const MEMBERS = ['us-east', 'eu-west', 'ap', 'sa', 'af'] as const;

/** A fleet at its start. */
export type FleetSetup = {
  readonly seed: number;
  /** 3 to 5. */
  readonly members: number;
  /** How many standbys must hold a write. */
  readonly quorum: number;
  /** How long a link between the primary and a standby takes for one direction at most, in ms, by standby. */
  readonly delays: readonly number[];
  readonly writers: readonly WriterSpec[];
  /** What regionctl can do to a server through its host, by member. */
  readonly hosts: readonly ('none' | 'stop' | 'rewind')[];
};

/** Time, members, network, clients, and the truth about who was told what: the world that the engine acts on. */
export class SimFleet implements Ground {
  readonly scheduler = new Scheduler();
  readonly random: Random;
  readonly net: Net;
  readonly servers: ReadonlyMap<string, Server>;
  /** Folders on the machine of the operators in which something was kept. */
  readonly kept = new Set<string>();
  readonly router: SimRouter;
  readonly writers: readonly Writer[];
  readonly truth: Truth;
  readonly setup: FleetSetup;
  readonly names: readonly string[];
  readonly #lines: string[] = [];
  #writes = 0;

  constructor(setup: FleetSetup) {
    this.setup = setup;
    this.random = random(setup.seed);
    this.net = new Net(this.scheduler, this.random);
    this.names = MEMBERS.slice(0, setup.members);
    const [home = ''] = this.names;
    const log: Rec[] = [{epoch: 1, write: null}];
    this.servers = new Map(
      this.names.map((name) => {
        const role = name === home ? 'primary' : 'standby';
        const upstream = name === home ? '' : home;
        return [name, new Server(this, name, {role, log, upstream, rule: this.ruleOf(name), commits: (server) => new Commits(server)})];
      }),
    );
    this.truth = new Truth(this, setup.quorum);
    this.names.slice(1).forEach((name, index) => {
      this.net.link(home, name).max = Math.max(3, setup.delays[index] ?? 3);
    });
    for (const server of this.servers.values()) keepFollowing(server);
    this.router = new SimRouter(this, Object.fromEntries(this.names.map((name) => [name, name === home ? 100 : 0])));
    this.writers = setup.writers.map((spec) => new Writer(this, spec));
  }

  /** Who must acknowledge on a member, as the fleet file wants it. */
  ruleOf(name: string): Rule {
    const {quorum} = this.setup;
    return {need: quorum, of: quorum === 0 ? [] : this.names.filter((other) => other !== name)};
  }

  server(name: string): Server {
    const server = this.servers.get(name);
    if (server === undefined) throw new Error(`there is no member ${name}`);
    return server;
  }

  newWrite(level: Write['level']): Write {
    return {id: ++this.#writes, level};
  }

  onAck(ack: Ack): void {
    this.truth.onAck(ack);
  }

  onPromoted(server: Server): void {
    this.truth.onPromoted(server);
  }

  /** One line of the history, for people. */
  note(text: string): void {
    this.#lines.push(`${this.scheduler.now.toFixed(1).padStart(9)} ms  ${text}`);
  }

  get history(): readonly string[] {
    return this.#lines;
  }
}
