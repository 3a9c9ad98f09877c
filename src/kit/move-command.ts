import type {Command} from '@oclif/core';
import {Flags} from '@oclif/core';
import {usageError} from '../lib/errors.ts';
import {EXIT} from '../lib/exit-codes.ts';
import type {Prepared, PrepareOptions} from '../lib/operate/prepare.ts';
import type {World} from '../lib/operate/world.ts';
import type {Kind, Override} from '../lib/plan/plan.ts';
import type {OpenFleet} from '../lib/providers/open-fleet.ts';
import {durationFlag} from './command.ts';
import {overrideFlags, RunCommand, runFlags} from './run-command.ts';

/** Flags of every command that plans a move. */
export const movePlanFlags = {
  ...overrideFlags,
  output: Flags.string({char: 'o', helpValue: 'FILE', description: 'also save the plan, for run --plan FILE'}),
};

/** Flags of every command that runs a move. */
export const moveRunFlags = {
  ...overrideFlags,
  ...runFlags,
  plan: Flags.string({helpValue: 'FILE', description: 'run this reviewed plan; refused (77) when the fleet has changed under it'}),
  'dry-run': Flags.boolean({description: 'do everything but the effects, and say of each step what it would do'}),
  approve: Flags.boolean({description: 'approve, as who starts it, the steps that one person may approve'}),
};

/** Flags of a move away from a region that is in trouble. */
export const guardFlags = {
  guard: Flags.boolean({
    allowNo: true,
    default: true,
    description: 'stay until the old primary is fenced or follows, and close it when it comes back; --no-guard leaves and exits 1',
  }),
  'wait-timeout': durationFlag({description: 'how long the guard stays at most; default: as long as it takes'}),
};

type MoveFlags = {
  readonly override: readonly string[];
  readonly reason?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

/** What both kinds of commands share: how a plan is made. */
abstract class MoveCommand<T extends typeof Command> extends RunCommand<T> {
  protected abstract readonly kind: Kind;
  protected abstract prepare(open: OpenFleet, world: World, options: PrepareOptions): Promise<Prepared>;

  protected async options(): Promise<PrepareOptions & {readonly overrides: readonly Override[]}> {
    const {from, to, override, reason} = this.flags as MoveFlags;
    return {from, to, overrides: await this.overrides(override, reason), signal: this.interrupt.signal};
  }
}

/** A command that shows the plan of a move, and saves it on request. Nothing is touched. */
export abstract class MovePlanCommand<T extends typeof Command> extends MoveCommand<T> {
  async run(): Promise<unknown> {
    const open = await this.openFleet();
    const [{planDocument, gateOpen}, {planText}] = await Promise.all([
      import('../lib/plan/plan-document.ts'),
      import('../lib/output/run-text.ts'),
    ]);
    const {plan} = await this.prepare(open, await this.world(open), await this.options());
    const document = planDocument(plan);
    const {output} = this.flags as {output?: string};
    if (output !== undefined) await save(output, document);
    this.log(planText(document, await this.layout()));
    this.verdict(document.gates.every(gateOpen) ? EXIT.good : EXIT.refused);
    return document;
  }
}

/** A command that runs a move: plans it or takes a reviewed plan, asks, runs, reports. */
export abstract class MoveRunCommand<T extends typeof Command> extends MoveCommand<T> {
  async run(): Promise<unknown> {
    const flags = this.flags as {plan?: string; yes: boolean; 'dry-run': boolean; approve: boolean};
    const [open, {refuseShutGates}] = await Promise.all([this.openToRun(), import('../lib/run/judge-gates.ts')]);
    const world = await this.world(open);
    const {plan, marks} = await this.#planned(open, world, flags.plan);
    if (flags['dry-run']) return this.rehearsed(open, world, plan);
    refuseShutGates(plan);
    this.refuseOwnApproval(plan, flags.approve);
    await this.confirm(plan, flags.yes);
    return this.report(await this.conduct(open, world, plan, {marks, approve: flags.approve}));
  }

  async #planned(open: OpenFleet, world: World, file: string | undefined): Promise<Prepared> {
    const options = await this.options();
    if (file === undefined) return this.prepare(open, world, options);
    if (options.from !== undefined || options.to !== undefined) throw usageError('--plan names the way already: leave --from and --to out');
    const [{prepareReviewed}, {readPlanText}] = await Promise.all([
      import('../lib/operate/reviewed.ts'),
      import('../lib/operate/plan-text.ts'),
    ]);
    const text = await readPlanText(file);
    return prepareReviewed(open, {text, file, kind: this.kind}, options, (fresh) => this.prepare(open, world, fresh));
  }
}

async function save(file: string, document: unknown): Promise<void> {
  const {writeFleetFile} = await import('../lib/fleet/write-file.ts');
  await writeFleetFile(file, `${JSON.stringify(document, null, 2)}\n`, {force: true});
}
