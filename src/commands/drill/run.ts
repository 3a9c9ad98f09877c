import {Args} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../kit/run-command.ts';

export default class DrillRun extends RunCommand<typeof DrillRun> {
  static override summary =
    'Run a drill: steady state, a leased fault, detection, failover, verification, and a report of what was measured.';
  static override description =
    'The fault always ends: when the drill is over, when its lease runs out, or when this process dies. Exit code: 0 passed, 1 an objective was missed, 2 failed, 3 could not be measured, 75 another run holds the lease, 77 not started, 130 interrupted.';
  static override examples = [
    '<%= config.bin %> drill run examples/drills/region-lost.yaml',
    '<%= config.bin %> drill run region-lost.yaml --yes --json',
  ];
  static override args = {drill: Args.string({required: true, description: 'the drill file'})};
  static override flags = {...overrideFlags, ...runFlags};

  async run(): Promise<unknown> {
    const {override, reason, yes} = this.flags;
    const [open, {loadDrill}, {prepareDrill}, {refuseShutGates}] = await Promise.all([
      this.openToRun(),
      import('../../lib/drill/drill-file.ts'),
      import('../../lib/operate/drill.ts'),
      import('../../lib/run/judge-gates.ts'),
    ]);
    const drill = await loadDrill({file: this.args.drill, cwd: process.cwd(), fleet: open.fleet});
    const {identityText, whoAmI} = await import('../../lib/state/identity.ts');
    const declared = drill.reaction.failover.overrides.map((each) => ({...each, by: `${drill.file} (${identityText(whoAmI())})`}));
    const world = await this.world(open);
    const overrides = [...declared, ...(await this.overrides(override, reason))];
    const {plan, marks} = await prepareDrill(open, world, {drill, overrides, signal: this.interrupt.signal});
    refuseShutGates(plan);
    await this.confirm(plan, yes);
    const {document, events} = await this.conduct(open, world, plan, {marks});
    const [{drillDocument, drillExit}, {drillText}] = await Promise.all([
      import('../../lib/drill/document.ts'),
      import('../../lib/output/drill-text.ts'),
    ]);
    const report = drillDocument(document, plan, events);
    this.log(this.flags.format === 'ndjson' ? JSON.stringify(report) : drillText(report, await this.layout()));
    this.verdict(drillExit(report));
    return report;
  }
}
