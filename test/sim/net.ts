import type {Random} from './random.ts';
import type {Scheduler} from './scheduler.ts';

/** The way between two places. Both directions share it; `min` and `max` are ms for one direction. */
export type Link = {up: boolean; min: number; max: number; readonly waiting: Set<Channel>};

/** One direction of one connection: what is sent in it arrives in order, late when the link is down, never lost. */
export type Channel = {readonly link: Link; readonly queue: {readonly at: number; readonly arrive: () => void}[]; last: number};

/**
 * The network: messages take time, in order within a connection and in any order across connections. A link that is down keeps what is on its
 * way and delivers it when it is up again, as TCP does: a message can arrive long after whoever sent it has given up, or is dead.
 */
export class Net {
  readonly #links = new Map<string, Link>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  link(a: string, b: string): Link {
    const name = a < b ? `${a}|${b}` : `${b}|${a}`;
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link: Link = {up: true, min: 1, max: 3, waiting: new Set()};
    this.#links.set(name, link);
    return link;
  }

  channel(a: string, b: string): Channel {
    return {link: this.link(a, b), queue: [], last: 0};
  }

  send(channel: Channel, arrive: () => void): void {
    const at = Math.max(channel.last, this.#scheduler.now + this.#delay(channel.link));
    channel.last = at;
    channel.queue.push({at, arrive});
    if (channel.queue.length === 1) this.#pumpAfter(channel, at - this.#scheduler.now);
  }

  cut(link: Link): void {
    link.up = false;
  }

  /** What waited arrives now, connection by connection, each after a delay of its own. */
  mend(link: Link): void {
    link.up = true;
    const waiting = [...link.waiting];
    link.waiting.clear();
    // A retransmission comes when its timer says so: a new connection may well be faster.
    for (const channel of waiting) this.#pumpAfter(channel, this.#delay(link) + this.#random.int(0, 200));
  }

  #pumpAfter(channel: Channel, ms: number): void {
    this.#scheduler.after(ms, () => this.#pump(channel));
  }

  #pump(channel: Channel): void {
    if (!channel.link.up) {
      channel.link.waiting.add(channel);
      return;
    }
    const head = channel.queue.shift();
    const [next] = channel.queue;
    if (next !== undefined) this.#pumpAfter(channel, Math.max(0, next.at - this.#scheduler.now));
    head?.arrive();
  }

  #delay({min, max}: Link): number {
    return min + this.#random.next() * (max - min);
  }
}
