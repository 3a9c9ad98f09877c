import {Args, Flags} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../kit/run-command.ts';
import type {Drill} from '../../lib/drill/drill-file.ts';
import type {BesideRow} from '../../lib/drill/report.ts';
import {refused} from '../../lib/errors.ts';
import {EXIT} from '../../lib/exit-codes.ts';
import type {Conducted} from '../../lib/operate/conduct.ts';
import type {Beside} from '../../lib/operate/drill-beside.ts';
import type {Prepared} from '../../lib/operate/prepare.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class DrillRun extends RunCommand<typeof DrillRun> {
  static override summary =
    'Run a drill: steady state, leased faults, detection, the expected reaction, verification, and a report of what was measured.';
  static override description =
    'Faults always end: when the drill is over, when their lease runs out, or when this process dies. Exit code: 0 passed, 1 an objective was missed, 2 failed, 3 could not be measured, 75 another run holds the lease, 77 not started, 130 interrupted.';
  static override examples = [
    '<%= config.bin %> drill run examples/drills/region-lost.yaml',
    '<%= config.bin %> drill run region-lost.yaml --yes --json',
    '<%= config.bin %> drill run region-lost.yaml --dry-run',
  ];
  static override args = {drill: Args.string({required: true, description: 'the drill file'})};
  static override flags = {
    ...overrideFlags,
    ...runFlags,
    'dry-run': Flags.boolean({description: 'show the plan and its gates; nothing is touched'}),
  };

  async run(): Promise<unknown> {
    const [open, {loadDrill}, {refuseWhileDrilled}] = await Promise.all([
      this.openToRun(),
      import('../../lib/drill/drill-file.ts'),
      import('../../lib/operate/conduct.ts'),
    ]);
    await refuseWhileDrilled(open);
    const drill = await loadDrill({file: this.args.drill, cwd: process.cwd(), fleet: open.fleet, faultKinds: open.fault?.kinds});
    if (this.flags['dry-run']) return this.#rehearsed(open, drill);
    const beside = drill.setUp === null ? [] : [await this.#setUp(open, drill.setUp.switchover.to, drill)];
    const {world, plan, marks} = await this.#prepared(open, drill);
    const {refuseShutGates} = await import('../../lib/run/judge-gates.ts');
    refuseShutGates(plan);
    await this.confirmDrill(plan, drill);
    const conducted = await this.conduct(open, world, plan, {marks});
    if (drill.rollback === 'failback' && conducted.document.outcome === 'succeeded')
      beside.push(await this.#beside(open, {when: 'after', kind: 'failback', to: undefined}));
    return this.#report(open, conducted, beside);
  }

  async #prepared(open: OpenFleet, drill: Drill): Promise<Prepared & {readonly world: World}> {
    const {override, reason} = this.flags;
    const [{prepareDrill}, {identityText, whoAmI}] = await Promise.all([
      import('../../lib/operate/drill.ts'),
      import('../../lib/state/identity.ts'),
    ]);
    const named = 'overrides' in drill.reaction && drill.reaction.kind !== 'command' ? drill.reaction.overrides : [];
    const declared = named.map((each) => ({...each, by: `${drill.file} (${identityText(whoAmI())})`}));
    const overrides = [...declared, ...(await this.overrides(override, reason))];
    const world = await this.world(open);
    return {world, ...(await prepareDrill(open, world, {drill, overrides, signal: this.interrupt.signal}))};
  }

  async #rehearsed(open: OpenFleet, drill: Drill): Promise<unknown> {
    const [{plan}, {gateOpen, planDocument}, {planText}] = await Promise.all([
      this.#prepared(open, drill),
      import('../../lib/plan/plan-document.ts'),
      import('../../lib/output/run-text.ts'),
    ]);
    const document = planDocument(plan);
    this.log(planText(document, await this.layout()));
    this.verdict(document.gates.every(gateOpen) ? EXIT.good : EXIT.refused);
    return document;
  }

  /** The fleet is brought where the drill begins from, once a person has agreed to the whole of it. */
  async #setUp(open: OpenFleet, to: string, drill: Drill): Promise<BesideRow> {
    await this.agreeTo(`the drill ${drill.name} begins with a switchover to ${to}`, drill.name);
    const row = await this.#beside(open, {when: 'before', kind: 'switchover', to});
    if (row.outcome === 'succeeded') return row;
    throw refused('not-set-up', `the drill was not started: the switchover to ${to} that it begins with did not succeed: ${row.says}`, {
      suggestions: row.runId === null ? ['regionctl switchover plan'] : [`regionctl runs show ${row.runId}`],
    });
  }

  async #beside(open: OpenFleet, what: Pick<Beside, 'when' | 'kind' | 'to'>): Promise<BesideRow> {
    const {besideDrill} = await import('../../lib/operate/drill-beside.ts');
    return besideDrill(open, await this.world(open), {
      ...what,
      signal: this.interrupt.signal,
      conduct: (plan, marks, world) => this.conduct(open, world, plan, {marks}),
    });
  }

  async #report(open: OpenFleet, conducted: Conducted, beside: readonly BesideRow[]): Promise<unknown> {
    const [{drillDocument, drillExit}, {drillText}, {keepEvidence}, {keepDrillRecord}] = await Promise.all([
      import('../../lib/drill/document.ts'),
      import('../../lib/output/drill-text.ts'),
      import('../../lib/operate/drill-evidence.ts'),
      import('../../lib/operate/drill-record.ts'),
    ]);
    const {document, plan, events} = conducted;
    const {rows: evidence, troubles} = await keepEvidence(open, conducted, this.interrupt.signal);
    for (const trouble of troubles) this.warn(trouble);
    keepDrillRecord(await open.state(), plan.id, {beside, evidence});
    const report = drillDocument(document, plan, events, {fleet: open.fleet.name, beside, evidence});
    this.log(this.flags.format === 'ndjson' ? JSON.stringify(report) : drillText(report, await this.layout()));
    this.verdict(drillExit(report));
    return report;
  }

  /** A drill that moves a primary is confirmed by the region that is demoted, any other one by its own name. */
  private async confirmDrill(plan: Prepared['plan'], drill: Drill): Promise<void> {
    if (plan.from !== null && plan.to !== null) return this.confirm(plan, this.flags.yes || drill.setUp !== null);
    if (drill.setUp === null)
      await this.agreeTo(
        `the drill ${drill.name} hurts ${drill.faults.map(({region}) => region).join(', ') || 'nothing, and moves traffic'}`,
        drill.name,
      );
  }

  private async agreeTo(what: string, name: string): Promise<void> {
    await this.agree({what, prompt: `Type the name of the drill (${name}) to go on: `, wanted: name}, this.flags.yes);
  }
}
