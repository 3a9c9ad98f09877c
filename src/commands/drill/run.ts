import {Args, Flags} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../kit/run-command.ts';
import type {Drill} from '../../lib/drill/drill-file.ts';
import type {BesideRow, DrillDocument} from '../../lib/drill/report.ts';
import {isRegionctlError, refused, usageError} from '../../lib/errors.ts';
import {EXIT, type ExitCode} from '../../lib/exit-codes.ts';
import type {Prepared} from '../../lib/operate/prepare.ts';
import type {Begun} from '../../lib/operate/report-files.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

/** Whatever else acts on the fleet: a drill measures only itself, so it is refused and does not wait. */
function notBeside(error: unknown): never {
  if (!isRegionctlError(error) || error.code !== 'lease-held') throw error;
  throw refused('run-active', `no drill was started, because another run acts on the fleet: ${error.message}`, {
    suggestions: error.suggestions,
    cause: error,
  });
}

type Beginning = {-readonly [K in keyof Begun]: Begun[K]};

export default class DrillRun extends RunCommand<typeof DrillRun> {
  static override summary =
    'Run a drill: steady state, leased faults, detection, the expected reaction, verification, and a report of what was measured.';
  static override description =
    'Faults always end: when the drill is over, when their lease runs out, or when this process dies. Exit code: 0 passed, 1 an objective was missed, 2 failed, 3 could not be measured, 69 or 73 not started for want of the reaper or the record of a fault, 73 also passed but a report was not written, 77 not started: the fleet is not well, or another run acts on it, 130 interrupted.';
  static override examples = [
    '<%= config.bin %> drill run examples/drills/region-lost.yaml',
    '<%= config.bin %> drill run region-lost --yes --json',
    '<%= config.bin %> drill run region-lost --dry-run',
    '<%= config.bin %> drill run region-lost --yes --junit a.xml --report a.html',
  ];
  static override args = {drill: Args.string({required: true, description: 'the drill file, or the name of a drill'})};
  static override flags = {
    ...overrideFlags,
    ...runFlags,
    'dry-run': Flags.boolean({description: 'show the plan and its gates; nothing is touched, and no report is left'}),
    junit: Flags.string({helpValue: 'FILE', description: 'leave the report as JUnit XML there, however the drill ends'}),
    report: Flags.string({
      helpValue: 'FILE',
      description: 'leave the report there: HTML, or what .md or .json says; an earlier one is replaced',
    }),
  };

  async run(): Promise<unknown> {
    const {junit, report: page} = this.flags;
    if (this.flags['dry-run'] && (junit !== undefined || page !== undefined))
      throw usageError(`--dry-run leaves no report: nothing is run that ${junit === undefined ? '--report' : '--junit'} could tell of`, {
        suggestions: ['Take one of the two out.'],
      });
    const {checkReportPaths} = await import('../../lib/operate/report-files.ts');
    await checkReportPaths(this.flags);
    const begun: Beginning = {file: this.args.drill};
    if (this.flags['dry-run']) return this.#rehearsed(begun);
    const report = await this.#drilled(begun).catch(async (error: unknown) => {
      if (this.flags.junit === undefined && this.flags.report === undefined) throw error;
      const {reportOfError} = await import('../../lib/operate/report-files.ts');
      const told = await reportOfError(begun, error);
      if (told !== null) await this.#leave(told);
      throw error;
    });
    this.verdict(await this.#leave(report, await this.showDrill(report)));
    return report;
  }

  async #drilled(begun: Beginning): Promise<DrillDocument> {
    const {open, drill} = await this.#loaded(begun);
    if (drill.setUp === null) return this.#carriedOut(begun, open, drill, []);
    const {to} = drill.setUp.switchover;
    const row = await this.#setUp(open, to, drill);
    const {afterSetUp} = await import('../../lib/operate/drill-beside.ts');
    return this.#carriedOut(begun, open, drill, [row]).catch((error: unknown) => {
      throw afterSetUp(error, row, to);
    });
  }

  async #carriedOut(begun: Beginning, open: OpenFleet, drill: Drill, beside: readonly BesideRow[]): Promise<DrillDocument> {
    const [{world, plan, marks}, {refuseShutGates}] = await Promise.all([
      this.#prepared(open, drill),
      import('../../lib/run/judge-gates.ts'),
    ]);
    begun.plan = plan;
    refuseShutGates(plan);
    if (drill.setUp === null) await this.#confirmed(plan, drill);
    // Whoever may have to go on with it knows then what was done before.
    if (beside.length > 0)
      (await import('../../lib/operate/drill-record.ts')).keepDrillRecord(await open.state(), plan.id, {beside, evidence: []});
    return this.drillReport(open, await this.conduct(open, world, plan, {marks}).catch(notBeside));
  }

  async #loaded(begun: Beginning): Promise<{readonly open: OpenFleet; readonly drill: Drill}> {
    const [open, {loadDrill}, {refuseWhileDrilled}, {findDrill}] = await Promise.all([
      this.openToRun().catch(notBeside),
      import('../../lib/drill/drill-file.ts'),
      import('../../lib/operate/conduct.ts'),
      import('../../lib/operate/find-drill.ts'),
    ]);
    begun.open = open;
    await refuseWhileDrilled(open).catch(notBeside);
    const {fleet, fault} = open;
    const file = await findDrill(this.args.drill, {root: this.config.root, cwd: process.cwd(), fleet});
    return {open, drill: await loadDrill({file, cwd: process.cwd(), fleet, faults: fault})};
  }

  async #prepared(open: OpenFleet, drill: Drill, rehearsal = false): Promise<Prepared & {readonly world: World}> {
    const {override, reason} = this.flags;
    const [{prepareDrill}, {identityText, whoAmI}] = await Promise.all([
      import('../../lib/operate/drill.ts'),
      import('../../lib/state/identity.ts'),
    ]);
    const named = 'overrides' in drill.reaction && drill.reaction.kind !== 'command' ? drill.reaction.overrides : [];
    const declared = named.map((each) => ({...each, by: `${drill.file} (${identityText(whoAmI())})`}));
    const overrides = [...declared, ...(await this.overrides(override, reason))];
    const world = await this.world(open);
    return {world, ...(await prepareDrill(open, world, {drill, overrides, rehearsal, signal: this.interrupt.signal}))};
  }

  async #rehearsed(begun: Beginning): Promise<unknown> {
    const {open, drill} = await this.#loaded(begun);
    const [{plan}, {gateOpen, planDocument}, {planText}] = await Promise.all([
      this.#prepared(open, drill, true).catch(async (error: unknown) => {
        throw drill.setUp === null
          ? error
          : (await import('../../lib/operate/drill-beside.ts')).withoutSetUp(error, drill.setUp.switchover.to);
      }),
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
    await this.#agreed(`the drill ${drill.name} begins with a switchover to ${to}`, drill.name);
    const row = await this.runBeside(open, {when: 'before', kind: 'switchover', to});
    if (row.outcome === 'succeeded') return row;
    throw refused('not-set-up', `the drill was not started: the switchover to ${to} that it begins with did not succeed: ${row.says}`, {
      suggestions: row.runId === null ? ['regionctl switchover plan'] : [`regionctl runs show ${row.runId}`],
    });
  }

  /** A drill that moves a primary is confirmed by the region that is demoted, any other one by its own name. */
  async #confirmed(plan: Prepared['plan'], drill: Drill): Promise<void> {
    if (plan.from !== null && plan.to !== null) return this.confirm(plan, this.flags.yes);
    const hurt = plan.steps.flatMap(({do: {action, target}}) => (action === 'fault.inject' ? [target.region] : []));
    await this.#agreed(
      `the drill ${drill.name} ${hurt.length > 0 ? `hurts ${[...new Set(hurt)].join(', ')}` : 'moves traffic'}`,
      drill.name,
    );
  }

  async #agreed(what: string, name: string): Promise<void> {
    await this.agree({what, prompt: `Type the name of the drill (${name}) to go on: `, wanted: name}, this.flags.yes);
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
