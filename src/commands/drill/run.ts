import {Args, Flags} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../kit/run-command.ts';
import type {DrillDocument} from '../../lib/drill/report.ts';
import {EXIT, type ExitCode} from '../../lib/exit-codes.ts';
import type {Begun} from '../../lib/operate/report-files.ts';

export default class DrillRun extends RunCommand<typeof DrillRun> {
  static override summary =
    'Run a drill: steady state, a leased fault, detection, failover, verification, and a report of what was measured.';
  static override description =
    'The fault always ends: when the drill is over, when its lease runs out, or when this process dies. Exit code: 0 passed, 1 an objective was missed, 2 failed, 3 could not be measured, 73 passed but a report was not written, 75 another run holds the lease, 77 not started, 130 interrupted.';
  static override examples = [
    '<%= config.bin %> drill run examples/drills/region-lost.yaml',
    '<%= config.bin %> drill run region-lost.yaml --yes --json',
    '<%= config.bin %> drill run region-lost.yaml --yes --junit a.xml --report a.html',
  ];
  static override args = {drill: Args.string({required: true, description: 'the drill file'})};
  static override flags = {
    ...overrideFlags,
    ...runFlags,
    junit: Flags.string({helpValue: 'FILE', description: 'leave the report as JUnit XML there, however the drill ends'}),
    report: Flags.string({helpValue: 'FILE', description: 'leave the report there: HTML, or what .md or .json says'}),
  };

  async run(): Promise<unknown> {
    const {checkReportPaths} = await import('../../lib/operate/report-files.ts');
    await checkReportPaths(this.flags);
    const begun: {-readonly [K in keyof Begun]: Begun[K]} = {file: this.args.drill};
    const report = await this.#drilled(begun).catch(async (error: unknown) => {
      if (this.flags.junit === undefined && this.flags.report === undefined) throw error;
      const {reportOfError} = await import('../../lib/operate/report-files.ts');
      const told = await reportOfError(begun, error);
      if (told !== null) await this.#leave(told);
      throw error;
    });
    const [{drillExit}, {drillText}] = await Promise.all([import('../../lib/drill/document.ts'), import('../../lib/output/drill-text.ts')]);
    this.log(this.flags.format === 'ndjson' ? JSON.stringify(report) : drillText(report, await this.layout()));
    this.verdict(await this.#leave(report, drillExit(report)));
    return report;
  }

  async #drilled(begun: {-readonly [K in keyof Begun]: Begun[K]}): Promise<DrillDocument> {
    const {override, reason, yes} = this.flags;
    const [open, {loadDrill}, {prepareDrill}, {refuseShutGates}, {reportDrill}] = await Promise.all([
      this.openToRun(),
      import('../../lib/drill/drill-file.ts'),
      import('../../lib/operate/drill.ts'),
      import('../../lib/run/judge-gates.ts'),
      import('../../lib/operate/drill-history.ts'),
    ]);
    begun.open = open;
    const drill = await loadDrill({file: this.args.drill, cwd: process.cwd(), fleet: open.fleet});
    const {identityText, whoAmI} = await import('../../lib/state/identity.ts');
    const declared = drill.reaction.failover.overrides.map((each) => ({...each, by: `${drill.file} (${identityText(whoAmI())})`}));
    const world = await this.world(open);
    const overrides = [...declared, ...(await this.overrides(override, reason))];
    const {plan, marks} = await prepareDrill(open, world, {drill, overrides, signal: this.interrupt.signal});
    begun.plan = plan;
    refuseShutGates(plan);
    await this.confirm(plan, yes);
    return reportDrill(open, await this.conduct(open, world, plan, {marks}));
  }

  /** Writes the report's files. The exit code stays the drill's, unless it was good and a file is missing. */
  async #leave(report: DrillDocument, exit: ExitCode = EXIT.critical): Promise<ExitCode> {
    const {writeReports} = await import('../../lib/operate/report-files.ts');
    const {said, trouble} = await writeReports(this.flags, report);
    for (const line of trouble) process.stderr.write(`Error: ${line}\n`);
    if (said.length > 0 && this.flags.format === 'text') this.log(`\n${said.join('\n')}`);
    return trouble.length > 0 && exit === EXIT.good ? EXIT.state : exit;
  }
}
