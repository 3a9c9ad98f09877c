import type {Channel} from './net.ts';
import type {Rec, Server} from './server.ts';

const RETRY_MS = 150;
/** After so much silence either end gives the connection up. */
const SILENCE_MS = 5000;
const LOOK_MS = 1000;

/** The timeline that an upstream is on, and where in its log that begins. */
type Tip = {readonly epoch: number; readonly forkAt: number};

/**
 * One connection of a standby to what it follows. Its two ends are open or not each by itself: what is on its way when one end goes away
 * arrives, or does not, as it would on a real network.
 */
export class Stream {
  readonly up: Server;
  readonly down: Server;
  /** The walsender is there and its standby is listed. */
  upOpen = false;
  downOpen = true;
  /** The standby has been level with its upstream once: only then does its word count for commits. */
  caughtUp = false;
  /** How far the upstream has sent, and how far it knows that the standby has flushed, in records. */
  sent = 0;
  flushed = 0;
  /** The timeline that the standby knows to be streaming. */
  epoch = 1;
  accepted = false;
  heardAt: number;
  readonly #data: Channel;
  readonly #replies: Channel;
  #memory: Rec[] = [];
  #repliedAt = 0;

  constructor(down: Server, up: Server) {
    const {net, scheduler} = down.ground;
    this.down = down;
    this.up = up;
    this.#data = net.channel(up.name, down.name);
    this.#replies = net.channel(down.name, up.name);
    this.heardAt = scheduler.now;
  }

  /** The receiver starts: it asks for everything after what its disk holds. */
  start(): void {
    const {log} = this.down;
    const [from, last] = [log.length, log.at(-1)];
    this.#toUp(() => this.#accept(from, last));
    this.down.after(LOOK_MS, () => this.#lookDown());
  }

  /** Sends what is new. */
  ship(): void {
    if (!this.upOpen) return;
    const {log, forkAt} = this.up;
    const news = log.slice(this.sent);
    const epoch = this.up.epoch;
    this.sent = log.length;
    if (news.length > 0) this.#toDown(() => this.#take(news, {epoch, forkAt}));
  }

  /** The receiver ends: it writes down what it has in memory, and says goodbye. */
  endReceiver(): void {
    if (!this.downOpen) return;
    this.#flush();
    this.dropReceiver();
  }

  /** The receiver is gone, with what it had in memory. */
  dropReceiver(): void {
    if (!this.downOpen) return;
    this.downOpen = false;
    this.#memory = [];
    if (this.down.receiver === this) this.down.receiver = null;
    this.#toUp(() => this.dropSender());
  }

  /** The walsender is gone. */
  dropSender(): void {
    this.up.senders.delete(this);
    if (!this.upOpen) return;
    this.upOpen = false;
    this.#toDown(() => this.endReceiver());
  }

  #toUp(arrive: () => void): void {
    this.up.ground.net.send(this.#replies, () => this.up.receive(arrive));
  }

  #toDown(arrive: () => void): void {
    this.down.ground.net.send(this.#data, () => this.down.receive(arrive));
  }

  /** The upstream looks at where the standby stands: it must be part of its own history, and its slot must be free. */
  #accept(from: number, last: Rec | undefined): void {
    const {up, down} = this;
    const isTaken = [...up.senders].some((other) => other.down === down);
    const fits = from <= up.log.length && (from === 0 || up.log[from - 1] === last);
    if (!up.running || !fits || isTaken) {
      this.#toDown(() => this.endReceiver());
      return;
    }
    this.upOpen = true;
    this.sent = from;
    this.flushed = from;
    this.#repliedAt = up.ground.scheduler.now;
    up.senders.add(this);
    const tip = {epoch: up.epoch, forkAt: up.forkAt};
    this.#toDown(() => this.#begin(tip));
    this.ship();
    this.#level();
    up.after(LOOK_MS, () => this.#lookUp());
  }

  #begin(tip: Tip): void {
    if (!this.downOpen) return;
    this.accepted = true;
    this.#heard(tip);
  }

  #heard({epoch, forkAt}: Tip): void {
    this.heardAt = this.down.ground.scheduler.now;
    // A receiver that is still on the way to where the new timeline begins is on the old one.
    if (forkAt <= this.down.log.length) this.epoch = epoch;
  }

  #take(news: readonly Rec[], tip: Tip): void {
    if (!this.downOpen) return;
    this.#heard(tip);
    this.#memory.push(...news);
    this.down.after(this.down.ground.random.int(0, 2), () => {
      if (!this.downOpen) return;
      this.#flush();
      this.#reply();
    });
  }

  #flush(): void {
    const {down} = this;
    if (this.#memory.length === 0) return;
    down.hold(this.#memory);
    this.#memory = [];
    for (const sender of down.senders) sender.ship();
    const goal = down.log.length;
    down.after(down.replayMs, () => {
      down.replayed = Math.max(down.replayed, Math.min(goal, down.log.length));
    });
  }

  #reply(): void {
    const flushed = this.down.log.length;
    this.#toUp(() => {
      if (!this.upOpen) return;
      this.#repliedAt = this.up.ground.scheduler.now;
      this.flushed = Math.max(this.flushed, flushed);
      this.#level();
      this.up.commits.release();
    });
  }

  #level(): void {
    if (this.flushed >= this.sent) this.caughtUp = true;
  }

  /** Now and then the receiver asks whether anybody is there. */
  #lookDown(): void {
    if (!this.downOpen) return;
    if (this.down.ground.scheduler.now - this.heardAt > SILENCE_MS) {
      this.endReceiver();
      return;
    }
    this.#toUp(() => {
      if (!this.upOpen) return;
      this.#repliedAt = this.up.ground.scheduler.now;
      const tip = {epoch: this.up.epoch, forkAt: this.up.forkAt};
      this.#toDown(() => this.downOpen && this.#heard(tip));
    });
    this.down.after(LOOK_MS, () => this.#lookDown());
  }

  #lookUp(): void {
    if (!this.upOpen) return;
    if (this.up.ground.scheduler.now - this.#repliedAt > SILENCE_MS) this.dropSender();
    else this.up.after(LOOK_MS, () => this.#lookUp());
  }
}

/** A standby that follows somebody and has no receiver starts one, again and again. */
export function keepFollowing(server: Server): void {
  server.after(RETRY_MS, () => keepFollowing(server));
  if (
    server.role !== 'standby' ||
    server.promoting ||
    server.replaying ||
    server.receiver !== null ||
    server.followed === '' ||
    !server.running
  )
    return;
  server.receiver = new Stream(server, server.ground.server(server.followed));
  server.receiver.start();
}
