import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';
import {EXIT} from '../../lib/exit-codes.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class ReplicationLag extends RegionCommand<typeof ReplicationLag> {
  static override summary =
    'Show how far every standby is behind: in bytes and in seconds, read from both ends, with the age of the reading.';
  static override description =
    `--watch draws the links on a terminal until q. Elsewhere, and with --format, it prints a line for each link and then one for each change of its state or its breaker, until it is interrupted or --for is over.
--drain acts: it holds a region off the routes that the fleet file names (stores.NAME.breaker.drain) while the breakers of its links are open, and gives it its share back when they have closed. Each time is a run (\`runs list\`). Never the last region that can serve.
Exit code: 0 good, 1 stalled, more than 30 s behind, a breaker that warns or a drain that could not be done, 2 broken, a silent sender or a breaker that is open, 3 unknown. With --watch as the links stood last.`;
  static override examples = [
    '<%= config.bin %> replication lag',
    '<%= config.bin %> replication lag --store orders --json',
    '<%= config.bin %> replication lag --window 24h',
    '<%= config.bin %> replication lag --watch --interval 500ms --window 15m',
    '<%= config.bin %> replication lag --watch --format ndjson --for 10m',
    '<%= config.bin %> replication lag --watch --drain',
  ];
  static override flags = {
    store: Flags.string({helpValue: 'STORE', description: 'only this store'}),
    watch: Flags.boolean({description: 'read again and again, and show it live'}),
    drain: Flags.boolean({description: 'hold regions off routes of reads while their links are too late, and give them back'}),
    interval: durationFlag({dependsOn: ['watch'], description: 'how often each store is read, at least 100ms; default: 1s'}),
    for: durationFlag({dependsOn: ['watch'], description: 'how long to watch; default: until it is ended'}),
    window: durationFlag({
      description: 'also show percentiles of the lag over so long, as far as it was looked at; with --watch default: 1h',
    }),
    format: Flags.option({
      options: ['text', 'ndjson'] as const,
      dependsOn: ['watch'],
      description: 'print links and changes as lines instead of drawing',
    })(),
  };

  readonly #leave = new AbortController();

  override async init(): Promise<void> {
    await super.init();
    // A run of --drain is over in a moment: the second Ctrl+C leaves it where it is, the third leaves everything.
    this.onSecondInterrupt = () => (this.#leave.signal.aborted ? process.exit(EXIT.interrupted) : this.#leave.abort(new Error('left')));
  }

  async run(): Promise<unknown> {
    const {store, watch, drain} = this.flags;
    if (watch && this.jsonEnabled()) throw usageError('--json is one document, and --watch has no end: use --format ndjson');
    // One that drains writes its runs down, and has the patience for that.
    const isLive = watch && !drain && (await import('../../lib/ui/show-watch.ts')).mayDraw(this.flags.format);
    const open = await this.openFleet({isLive});
    if (store !== undefined) (await import('../../lib/fleet/lookup.ts')).storeOf(open.fleet, store);
    if (drain && store !== undefined) throw usageError('--drain goes by the links of every store: leave --store out');
    if (watch) return this.#watch(open);
    const [{lagAndDrains}, {lagText}] = await Promise.all([
      import('../../lib/operate/lag-drains.ts'),
      import('../../lib/output/lag-text.ts'),
    ]);
    const options = {store, signal: this.interrupt.signal, windowMs: this.flags.window};
    const {document, exit} = await lagAndDrains(open, {...options, drain: drain ? {leave: this.#leave.signal} : null});
    this.log(lagText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }

  async #watch(open: OpenFleet): Promise<void> {
    const {store, drain, interval: intervalMs = 1000, for: forMs, window: windowMs = 3_600_000, format} = this.flags;
    if (intervalMs < 100) throw usageError('--interval must be at least 100ms');
    const [{watchLag}, {drawLag, mayDraw, printLag, watchEnd}, {staleAfterMs, watchExit}] = await Promise.all([
      import('../../lib/operate/lag-watch.ts'),
      import('../../lib/ui/show-watch.ts'),
      import('../../lib/operate/lag-verdict.ts'),
    ]);
    const staleMs = staleAfterMs(intervalMs);
    const watched = {store, intervalMs, windowMs};
    const {monitor, onDrain} = drain
      ? await (await import('../../lib/operate/drain-watch.ts')).watchAndDrain(open, {...watched, staleMs, leave: this.#leave.signal})
      : {monitor: await watchLag(open, watched), onDrain: null};
    const {ended, quit} = watchEnd({interrupt: this.interrupt.signal, forMs, clock: open.clock});
    const draws = mayDraw(format);
    const colour = !process.env.NO_COLOR && !this.flags['no-color'];
    const shown = draws
      ? await drawLag(monitor, {stdout: process.stdout, colour, onQuit: quit, staleMs, windowMs})
      : printLag(monitor, {format: format ?? 'text', print: (line) => this.log(line), tell: (line) => this.logToStderr(line)});
    if (!draws && onDrain !== null) {
      const {drainLine} = await import('../../lib/output/drain-lines.ts');
      onDrain((event) => this.log(drainLine(event, format ?? 'text')));
    }
    await ended;
    const last = monitor.view();
    await shown.end();
    const lost = await monitor.stop();
    if (lost !== null) this.logToStderr(lost);
    if (draws) this.log((await import('../../lib/output/lag-lines.ts')).lagWatchSummary(last, await this.layout()));
    this.verdict(watchExit(last, staleMs));
  }
}
