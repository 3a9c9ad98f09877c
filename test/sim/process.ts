import type {Clock} from '../../src/lib/ports/clock.ts';
import type {SimFleet} from './sim-fleet.ts';

/** Epoch ms at which every simulation begins. */
const START = 1_800_000_000_000;

/** What an operator's process is told right before each of its statements: it may be stopped or killed there. */
export type Disturber = (
  process: Process,
  moment: {readonly kind: 'send' | 'append' | 'appended'; readonly label: string; readonly count: number},
) => void;

/**
 * One regionctl process. While it is stopped (SIGSTOP) nothing that reaches it is taken, and nothing that it wants to send goes out; what is on
 * its way arrives all the same. Killed, nothing of it happens any more, but what it had sent.
 */
export class Process {
  readonly name: string;
  readonly place: string;
  readonly fleet: SimFleet;
  alive = true;
  stopped = false;
  statements = 0;
  appends = 0;
  /** The step whose intent is on record and has no result yet. */
  openIntent: string | null = null;
  disturb: Disturber = () => {};
  readonly #held: (() => void)[] = [];
  readonly #onKill: (() => void)[] = [];

  constructor(fleet: SimFleet, name: string, place: string) {
    this.fleet = fleet;
    this.name = name;
    this.place = place;
  }

  /** Something reaches the process: an answer, or a timer. */
  take(arrive: () => void): void {
    if (!this.alive) return;
    if (this.stopped) this.#held.push(arrive);
    else {
      arrive();
      this.fleet.scheduler.woke();
    }
  }

  /** The process wants to send something. Stopped right before, it sends it when it goes on. */
  send(label: string, go: () => void): void {
    if (!this.alive) return;
    this.statements++;
    this.disturb(this, {kind: 'send', label, count: this.statements});
    this.take(go);
  }

  stop(): void {
    if (!this.alive || this.stopped) return;
    this.stopped = true;
    this.fleet.note(`${this.name} is stopped (SIGSTOP)`);
  }

  resume(): void {
    if (!this.stopped) return;
    this.stopped = false;
    if (this.alive) this.fleet.note(`${this.name} goes on (SIGCONT)`);
    const held = this.#held.splice(0);
    held.forEach((arrive, index) => {
      // Whatever it does first may stop or kill it again.
      if (this.stopped) this.#held.push(...held.slice(index));
      else this.take(arrive);
    });
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.fleet.note(`${this.name} is killed`);
    for (const tell of this.#onKill) tell();
  }

  onKill(tell: () => void): void {
    this.#onKill.push(tell);
  }

  clock(): Clock {
    const {scheduler} = this.fleet;
    return {
      wall: () => START + scheduler.now,
      now: () => scheduler.now,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timer.run = null;
        reject(signal?.reason);
      };
      const timer = this.fleet.scheduler.after(ms, () =>
        this.take(() => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        }),
      );
      signal?.addEventListener('abort', onAbort, {once: true});
    });
  }
}
