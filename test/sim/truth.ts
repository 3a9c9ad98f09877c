import type {Ack, Ground, Rec, Server} from './server.ts';

/** Something that must never happen, and did. */
export type Violation = {
  readonly rule: 'lost-write' | 'two-primaries' | 'proof-was-wrong' | 'effect-before-intent' | 'two-at-work';
  readonly says: string;
};

type Promise = {readonly rec: Rec; readonly index: number; readonly by: string; readonly at: number};

/** What really happened, whatever the engine believes: who acknowledged what, and whether that was kept. */
export class Truth {
  readonly violations: Violation[] = [];
  /** Every write that was acknowledged under the quorum. */
  readonly promised: Promise[] = [];
  /** How many were acknowledged in each way. */
  readonly acks: Record<Ack['level'], number> = {quorum: 0, local: 0, cancelled: 0, alone: 0};
  readonly promotions: {readonly member: string; readonly epoch: number; readonly at: number}[] = [];
  readonly #ground: Ground & {readonly servers: ReadonlyMap<string, Server>};
  readonly #quorum: number;

  constructor(ground: Ground & {readonly servers: ReadonlyMap<string, Server>}, quorum: number) {
    this.#ground = ground;
    this.#quorum = quorum;
  }

  onAck({server, rec, index, level, rule}: Ack): void {
    this.acks[level]++;
    if (server.proven !== null)
      this.violate('proof-was-wrong', `${server.name} was proven ${server.proven} and acknowledged write ${rec.write?.id} (${level})`);
    if (level !== 'quorum' || rule.need < this.#quorum) return;
    this.promised.push({rec, index, by: server.name, at: this.#ground.scheduler.now});
    const newer = this.#primaries().find((other) => other !== server && other.epoch >= rec.epoch && other.log[index] !== rec);
    if (newer !== undefined)
      this.violate(
        'two-primaries',
        `${server.name} acknowledged write ${rec.write?.id} under the quorum on timeline ${rec.epoch}, and ${newer.name} is primary on timeline ${newer.epoch} without it`,
      );
  }

  onPromoted(server: Server): void {
    this.promotions.push({member: server.name, epoch: server.epoch, at: this.#ground.scheduler.now});
    this.#demandAll(server);
  }

  /** At the end: the last primary holds every promised write. */
  atEnd(): void {
    const top = Math.max(...this.#primaries().map(({epoch}) => epoch));
    for (const server of this.#primaries().filter(({epoch}) => epoch === top)) this.#demandAll(server);
  }

  violate(rule: Violation['rule'], says: string): void {
    if (this.violations.length < 20) this.violations.push({rule, says: `at ${this.#ground.scheduler.now.toFixed(1)} ms: ${says}`});
    this.#ground.note(`VIOLATION ${rule}: ${says}`);
  }

  #primaries(): readonly Server[] {
    return [...this.#ground.servers.values()].filter(({role}) => role === 'primary');
  }

  #demandAll(server: Server): void {
    const lost = this.promised.filter(({rec, index}) => server.log[index] !== rec);
    const [first] = lost;
    if (first === undefined) return;
    this.violate(
      'lost-write',
      `${server.name} is primary on timeline ${server.epoch} and lacks ${lost.length} acknowledged writes, first write ${first.rec.write?.id}, acknowledged by ${first.by} at ${first.at.toFixed(1)} ms`,
    );
  }
}
