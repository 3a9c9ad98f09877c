import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';

export default class HealthWatch extends RegionCommand<typeof HealthWatch> {
  static override enableJsonFlag = false;
  static override summary = 'Watch every endpoint of every region, live.';
  static override description =
    'On a terminal it draws regions and endpoints until q. Elsewhere, and with --format, it prints a line for each change of a region until it is interrupted or --for is over. What it sees is kept for health history.';
  static override examples = [
    '<%= config.bin %> health watch',
    '<%= config.bin %> health watch --region eu-west --interval 500ms',
    '<%= config.bin %> health watch --format ndjson --for 10m',
  ];
  static override flags = {
    region: Flags.string({description: 'only this region', helpValue: 'REGION'}),
    interval: durationFlag({description: 'how often each endpoint is asked, at least 100ms; default: as the fleet file says, 5s'}),
    for: durationFlag({description: 'how long to watch; default: until it is ended'}),
    format: Flags.option({options: ['text', 'ndjson'] as const, description: 'print changes as lines instead of drawing'})(),
  };

  async run(): Promise<void> {
    const {region, interval: intervalMs, for: forMs, format} = this.flags;
    const [{watchFleet}, {drawWatch, mayDraw, printWatch, watchEnd}] = await Promise.all([
      import('../../lib/operate/watch.ts'),
      import('../../lib/ui/show-watch.ts'),
    ]);
    const draws = mayDraw(format);
    const open = await this.openFleet({isLive: draws});
    if (intervalMs !== undefined && intervalMs < 100) throw usageError('--interval must be at least 100ms');
    const monitor = await watchFleet(open, {region, intervalMs});
    const {ended, quit} = watchEnd({interrupt: this.interrupt.signal, forMs, clock: open.clock});
    const shown = draws
      ? await drawWatch(monitor, {stdout: process.stdout, colour: !process.env.NO_COLOR && !this.flags['no-color'], onQuit: quit})
      : printWatch(monitor, {format: format ?? 'text', print: (line) => this.log(line), tell: (line) => this.logToStderr(line)});
    await ended;
    const last = monitor.view();
    await shown.end();
    const lost = await monitor.stop();
    if (lost !== null) this.logToStderr(lost);
    const {watchSummary} = await import('../../lib/output/watch-lines.ts');
    if (draws) this.log(watchSummary(last, await this.layout()));
    const {verdictExit, worstVerdict} = await import('../../lib/health/verdict.ts');
    // A region that was never judged is one that nothing is known of.
    this.verdict(verdictExit(worstVerdict(last.regions.map(({verdict}) => verdict ?? 'unknown'))));
  }
}
