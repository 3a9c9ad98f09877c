import {setFlagsFromString} from 'node:v8';
import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../kit/command.ts';
import {usageError} from '../lib/errors.ts';
import type {DashboardMonitor} from '../lib/operate/dashboard.ts';
import type {DashboardView} from '../lib/operate/dashboard-view.ts';
import type {Shown} from '../lib/ui/show-watch.ts';

type Show = (onAction: (words: readonly string[]) => void) => Shown | Promise<Shown>;

export default class Dashboard extends RegionCommand<typeof Dashboard> {
  static override enableJsonFlag = false;
  static override summary = 'One live screen for all regions: verdicts, traffic, stores, lag, loss, readiness, runs.';
  static override description =
    `Every source is asked at its own pace, and each figure has its age: a dead source ages, and delays no other one. Read-only, unless --allow-actions is given.
Tab or 1 to 5: regions, links, endpoints, runs, events. Enter: all about one. ? shows every key.
Where there is no terminal (or TERM=dumb, or CI), and with --format, it prints how each region stands, then a line for each change, until it is interrupted or --for is over. The exit code is that of the worst region: 0 healthy, 1 degraded or recovering, 2 unhealthy, 3 unknown.`;
  static override examples = [
    '<%= config.bin %> dashboard',
    '<%= config.bin %> dashboard --interval 1s',
    '<%= config.bin %> dashboard --format ndjson --for 10m',
  ];
  static override flags = {
    interval: durationFlag({
      description: 'how often each endpoint and link is asked, at least 100ms; default: as the fleet file says, and 1s',
    }),
    for: durationFlag({description: 'how long to look; default: until it is ended'}),
    'allow-actions': Flags.boolean({
      description: 'with keys that act on the chosen region or run (S, F, A, R; see ?): each shows its plan first, and asks',
    }),
    format: Flags.option({options: ['text', 'ndjson'] as const, description: 'print changes as lines instead of drawing'})(),
  };

  async run(): Promise<void> {
    const {interval: intervalMs, for: forMs, format, 'allow-actions': acts} = this.flags;
    if (intervalMs !== undefined && intervalMs < 100) throw usageError('--interval must be at least 100ms');
    const [{drawDashboard, printDashboard, readyToDraw}, {mayDraw, watchEnd}] = await Promise.all([
      import('../lib/ui/show-dashboard.ts'),
      import('../lib/ui/show-watch.ts'),
    ]);
    const draws = mayDraw(format);
    // It runs for days: V8 lets a heap grow to several times of what lives in it. Collected sooner it is 145 MB instead of up to 250, for one hundredth of a core.
    setFlagsFromString('--heap-growing-percent=30');
    const [open, {watchDashboard}, {worldOf}] = await Promise.all([
      this.openFleet({isLive: draws}),
      import('../lib/operate/dashboard.ts'),
      import('../lib/operate/world.ts'),
      draws ? readyToDraw() : null,
    ]);
    const monitor = await watchDashboard(open, {intervalMs, world: worldOf(open, {life: this.interrupt.signal})});
    const {ended, quit} = watchEnd({interrupt: this.interrupt.signal, forMs, clock: open.clock});
    const colour = !process.env.NO_COLOR && !this.flags['no-color'];
    const draw = (onAction: (words: readonly string[]) => void) =>
      drawDashboard(monitor, {
        stdout: process.stdout,
        colour,
        onQuit: quit,
        onAction: acts ? onAction : undefined,
        intervalMs: intervalMs ?? 1000,
      });
    const printed = () =>
      printDashboard(monitor, {format: format ?? 'text', print: (line) => this.log(line), tell: (line) => this.logToStderr(line)});
    const last = await this.#show(monitor, draws ? draw : printed, ended);
    const lost = await monitor.stop();
    if (lost !== null) this.logToStderr(lost);
    if (draws) this.log((await import('../lib/output/watch-lines.ts')).watchSummary(last.health, await this.layout()));
    const {verdictExit} = await import('../lib/health/verdict.ts');
    this.verdict(verdictExit(last.verdict ?? 'unknown'));
  }

  /** Shows it until it is ended, with what is done from it in between. Answers with what was shown last. */
  async #show(monitor: DashboardMonitor, show: Show, ended: Promise<void>): Promise<DashboardView> {
    for (;;) {
      const {promise: asked, resolve: onAction} = Promise.withResolvers<readonly string[]>();
      const shown = await show(onAction);
      const words = await Promise.race([ended.then(() => null), asked]);
      const last = monitor.view();
      await shown.end();
      if (words === null) return last;
      await this.#act(words);
      if (this.interrupt.signal.aborted) return monitor.view();
    }
  }

  /** The command that a key stands for, as it would be typed: it shows its plan, asks, and shows its run. The dashboard goes on afterwards. */
  async #act(words: readonly string[]): Promise<void> {
    const {execa} = await import('execa');
    const fleet = this.flags.fleet === undefined ? [] : ['--fleet', this.flags.fleet];
    await leaveKeys();
    await this.leavingCtrlC(async () => {
      await execa(process.execPath, [...process.execArgv, process.argv[1] as string, ...words, ...fleet], {
        stdio: 'inherit',
        reject: false,
      });
    });
    // A terminal that is gone, or a SIGTERM meanwhile: nobody is there to go back.
    if (this.interrupt.signal.aborted) return;
    await pressedEnter('\nEnter: back to the dashboard ', this.interrupt.signal);
  }
}

/** What is typed from now on is for the command. What drew leaves a read of the terminal under way, which would take a key from whoever is asked for a name. */
async function leaveKeys(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  process.stdin.pause();
}

/** Until a line comes, there is nobody to write one, or `signal` is aborted. Not by readline: it leaves an input behind that the next view hears nothing from. */
function pressedEnter(question: string, signal: AbortSignal): Promise<void> {
  const {stdin, stdout} = process;
  return new Promise((resolve) => {
    const end = (): void => {
      stdin.off('readable', onReadable).off('end', end).off('error', end).unref();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const onReadable = (): void => {
      if (stdin.read() !== null) end();
    };
    // What was typed before is no answer to this.
    while (stdin.read() !== null);
    stdout.write(question);
    stdin.ref().on('readable', onReadable).on('end', end).on('error', end);
    signal.addEventListener('abort', end, {once: true});
  });
}
