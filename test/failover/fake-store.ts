import type {StoreWorld} from '../../src/lib/failover/store-world.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Abilities, Proof, Store} from '../../src/lib/ports/store.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member} from '../../src/lib/snapshot/snapshot.ts';
import {REGIONS, sampleFleet} from './three-regions.ts';

/** A store in memory: members as they are now (null = silent), what was called, and what each ability answers. */
export class FakeStore {
  members: Record<string, Member | null> = {};
  sealed = new Set<string>();
  following: Record<string, string | null> = {};
  readonly calls: string[] = [];
  /** What `fence` does; default: it cannot. */
  fence: () => Promise<Proof> = () => Promise.reject(Object.assign(new Error('cannot be fenced'), {code: 'fence-impossible', exit: 77}));
  prove: () => Promise<Proof | null> = async () => null;
  /** Called on each observe, so that a test can move the world on. */
  onObserve: () => void = () => {};

  readonly port: Store = {
    engine: 'fake',
    observe: async (_signal, members = REGIONS) => {
      this.onObserve();
      return Object.fromEntries(members.map((name) => [name, this.#cell(name)]));
    },
    ackRule: async () => unknown('no-primary', 'nobody answers', 0),
    abilities: this.#abilities(),
    close: async () => {},
  };

  #cell(name: string): Cell<Member> {
    const member = this.members[name];
    return member ? known(member, 0, 'fake') : unknown('timeout', 'no answer', 0);
  }

  #abilities(): Partial<Abilities> {
    return {
      seal: {
        seal: async (_ctx, members) => {
          this.calls.push(`seal ${members.join(',')}`);
          for (const name of members) this.sealed.add(name);
          return {};
        },
        sealed: async (_ctx, members) =>
          Object.fromEntries(
            members.map((name) => [
              name,
              this.members[name] ? known(this.sealed.has(name), 0, 'fake') : unknown('timeout', 'no answer', 0),
            ]),
          ),
      },
      fence: {
        fence: () => {
          this.calls.push('fence');
          return this.fence();
        },
        prove: () => this.prove(),
        lift: async () => {},
        open: async () => true,
      },
      follow: {
        follow: async (_ctx, member, upstream) => {
          this.calls.push(`follow ${member} ${upstream}`);
          this.following[member] = upstream;
        },
        point: async (_ctx, member, upstream) => void this.calls.push(`point ${member} ${upstream}`),
        following: async (_ctx, member) => this.following[member] ?? null,
      },
    };
  }
}

/** A standby at an offset. */
export function standby(region: string, offset: number, more: Partial<Member> = {}): Member {
  const position = {lineage: 'L', epoch: 1, offset: String(offset)};
  return {
    region,
    role: 'standby',
    writable: false,
    durable: position,
    applied: position,
    upstream: 'us-east',
    heardUpstreamAgoMs: null,
    ...more,
  };
}

/** A world of actions and checks around one fake store. */
export function fakeWorld(store: FakeStore): StoreWorld {
  const stores = {orders: store.port};
  return {
    fleet: sampleFleet(),
    clock: systemClock(),
    keeping: {dirOf: (runId, member) => `${runId}/${member}`, isWhole: async () => false},
    stores,
    independent: async () => store.port,
    tried: new Map(),
    evicted: new Set<string>(),
    proofs: new Map(),
    hooks: {
      has: () => false,
      run: async () => ({exit: 0, tail: ''}),
      ask: async () => '',
      verify: async () => ({holds: null, says: 'no hook'}),
    },
    marks: new Map(),
    counted: new Set(),
    guardForMs: null,
    provenAt: new Map(),
    spared: new Set(),
  };
}

/** What an action is given, with so long to live. */
export function context(forMs = 2000): Ctx {
  const end = performance.now() + forMs;
  return {runId: 'r', token: 't', signal: new AbortController().signal, now: () => performance.now(), deadline: end};
}
