import {Flags} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../../kit/run-command.ts';

export default class ConsistencyRepairRun extends RunCommand<typeof ConsistencyRepairRun> {
  static override summary = 'Write the rows of a reviewed plan, where they are still as the plan saw them, and audit the tables again.';
  static override description =
    `A row that was written since the plan was made is left alone. What is written is not replicated. Taken back with runs undo, gone on with by runs resume.
Exit code: 0 repaired, and the tables are equal but for what the plan had left; 2 failed, or they are not equal; 75 another run or repair is at work; 77 a gate refuses, or the plan or its rows file changed (nothing was done); 130 interrupted.`;
  static override examples = [
    '<%= config.bin %> consistency repair run --plan repair.json',
    '<%= config.bin %> consistency repair run --plan repair.json --dry-run',
  ];
  static override flags = {
    plan: Flags.string({required: true, helpValue: 'FILE', description: 'the plan that repair plan has saved'}),
    ...overrideFlags,
    ...runFlags,
    'dry-run': Flags.boolean({description: 'do everything but the effects, and say of each step what it would do'}),
    approve: Flags.boolean({description: 'approve, as who starts it, the steps that one person may approve'}),
  };

  async run(): Promise<unknown> {
    const {plan: file, override, reason, yes, approve} = this.flags;
    const [open, {prepareRepair, keepRows}, {readPlanText}, {refuseShutGates}] = await Promise.all([
      this.openToRun(),
      import('../../../lib/operate/repair-run.ts'),
      import('../../../lib/operate/plan-text.ts'),
      import('../../../lib/run/judge-gates.ts'),
    ]);
    const world = await this.world(open);
    const overrides = await this.overrides(override, reason);
    const plan = await prepareRepair(open, world, {file, text: await readPlanText(file), overrides, signal: this.interrupt.signal});
    if (this.flags['dry-run']) return this.rehearsed(open, world, plan, DRY_RUN_MS);
    refuseShutGates(plan);
    this.refuseOwnApproval(plan, approve);
    const store = plan.steps[0]?.do.target.store ?? '';
    await this.agree(
      {what: `this writes rows of ${store}`, prompt: `Type the name of the store that is written to (${store}) to go on: `, wanted: store},
      yes,
    );
    await keepRows(open, world, plan);
    return this.report(await this.conduct(open, world, plan, {marks: [], approve}));
  }
}

/** A plan can have thousands of pages of rows. */
const DRY_RUN_MS = 60_000;
