import {Args, Command, Flags, type Interfaces} from '@oclif/core';
import {EXIT, type ExitCode} from '../lib/exit-codes.ts';
import type {Fleet} from '../lib/fleet/fleet.ts';
import {colourPaint, type Paint, plainPaint} from '../lib/output/paint.ts';
import type {Clock} from '../lib/ports/clock.ts';
import type {Provider} from '../lib/providers/define.ts';
import type {OpenFleet} from '../lib/providers/open-fleet.ts';
import {durationUpTo} from './duration-flag.ts';
import {errorReport, printReport} from './error-report.ts';

/** What commands declare their flags and arguments with: a plugin needs no oclif of its own. */
export {Args, Flags};

/** A duration flag such as 250ms, 5s, 15m, 1h or 7d, given to the command in milliseconds; at most 576h: timers end there, and would fire at once. */
export const durationFlag = durationUpTo(576);

type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<(typeof RegionCommand)['baseFlags'] & T['flags']>;
type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * The base of every command, also of plugins': the common flags, one signal for Ctrl+C, opening the fleet, and the way in which
 * errors and verdicts become text, JSON and exit codes. A command maps flags to one call into lib and prints what came back.
 */
export abstract class RegionCommand<T extends typeof Command> extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    fleet: Flags.string({
      char: 'f',
      env: 'REGIONCTL_FLEET',
      helpValue: 'FILE',
      helpGroup: 'GLOBAL',
      description: 'fleet file; default: regionctl.yaml here or above',
    }),
    'no-color': Flags.boolean({helpGroup: 'GLOBAL', description: 'print without colour'}),
  };

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  /** Aborted by the first Ctrl+C or SIGTERM. `onSecondInterrupt` is called by a second one. */
  protected readonly interrupt = new AbortController();
  protected onSecondInterrupt: () => void = () => process.exit(EXIT.interrupted);
  #open: OpenFleet | undefined;
  #providers: Promise<readonly Provider[]> | undefined;
  readonly #onSignal = () => (this.interrupt.signal.aborted ? this.onSecondInterrupt() : this.interrupt.abort(new Error('interrupted')));

  override async init(): Promise<void> {
    await super.init();
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, this.#onSignal);
    const {flags, args} = await this.parse({
      flags: this.ctor.flags,
      baseFlags: (super.ctor as typeof RegionCommand).baseFlags,
      enableJsonFlag: this.ctor.enableJsonFlag,
      args: this.ctor.args,
      strict: this.ctor.strict,
    });
    this.flags = flags as FlagsOf<T>;
    this.args = args as ArgsOf<T>;
  }

  /** Built-in providers and those of plugins; only commands that need providers call it. */
  protected providers(): Promise<readonly Provider[]> {
    this.#providers ??= import('./providers.ts').then(({collectProviders}) => collectProviders(this.config));
    return this.#providers;
  }

  /** The fleet file, checked. */
  protected async loadFleet(): Promise<Fleet> {
    const [{findFleetFile}, {loadFleet}, {kindsOf}] = await Promise.all([
      import('../lib/fleet/find.ts'),
      import('../lib/fleet/load.ts'),
      import('../lib/fleet/kinds.ts'),
    ]);
    const file = await findFleetFile(process.cwd(), (this.flags as {fleet?: string}).fleet);
    return loadFleet(file, kindsOf(await this.providers()));
  }

  /**
   * The fleet with its probes, stores, routers and faults opened. Closed when the command ends. `isLive`: it draws meanwhile, and waits for a lock on its
   * state no longer than half a second.
   */
  protected async openFleet({isLive = false}: {readonly isLive?: boolean} = {}): Promise<OpenFleet> {
    const [{openFleet}, {BUSY_LIVE_MS}, fleet, clock, providers] = await Promise.all([
      import('../lib/providers/open-fleet.ts'),
      import('../lib/state/rest.ts'),
      this.loadFleet(),
      this.clock(),
      this.providers(),
    ]);
    this.#open = await openFleet({
      fleet,
      providers,
      clock,
      defaultStateDir: this.config.dataDir,
      stateBusyMs: isLive ? BUSY_LIVE_MS : undefined,
    });
    return this.#open;
  }

  protected async clock(): Promise<Clock> {
    const {systemClock} = await import('../lib/run/system-clock.ts');
    return systemClock();
  }

  /** Colour by meaning, or none: not a terminal, NO_COLOR, TERM=dumb, --no-color. */
  protected async paint(): Promise<Paint> {
    const {env, stdout} = process;
    const plain =
      (this.flags as {'no-color'?: boolean})['no-color'] || (!env.FORCE_COLOR && (!stdout.isTTY || !!env.NO_COLOR || env.TERM === 'dumb'));
    return plain ? plainPaint() : colourPaint();
  }

  /** What formatters of text need: width, colours, and the time now. */
  protected async layout(): Promise<{columns: number; paint: Paint; now: number}> {
    return {columns: this.columns, paint: await this.paint(), now: Date.now()};
  }

  /** The width that text may take: the terminal's, or 120 where there is none. */
  protected get columns(): number {
    return process.stdout.columns ?? 120;
  }

  /** While `work` goes on, a Ctrl+C is for the program in the foreground: it reaches both by the terminal, and must not end this one too. Other signals are heard as ever. */
  protected async leavingCtrlC<R>(work: () => Promise<R>): Promise<R> {
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore).off('SIGINT', this.#onSignal);
    try {
      return await work();
    } finally {
      process.on('SIGINT', this.#onSignal).off('SIGINT', ignore);
    }
  }

  /** Sets the exit code of a verdict. The document is printed all the same. */
  protected verdict(code: ExitCode): void {
    process.exitCode = code;
  }

  /** Every error becomes one clear message, or one JSON document, and its exit code. Never a stack trace. */
  protected override async catch(error: Error & {exitCode?: number}): Promise<void> {
    const report = errorReport(error, {
      command: this.id?.replaceAll(':', ' ') ?? '',
      plugin: this.ctor.plugin === undefined || this.ctor.plugin.name === this.config.name ? null : this.ctor.plugin.name,
      scrub: (text) => this.#open?.fleet.secrets.scrub(text) ?? text,
      interrupted: this.interrupt.signal.aborted,
    });
    process.exitCode = report.exit;
    printReport(report, this.argv.includes('--json'));
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, this.#onSignal);
    await this.#open?.close();
    await super.finally(error);
  }
}
