import type {Command} from '@oclif/core';
import {Flags} from '@oclif/core';
import {timeoutAwake} from '../lib/awake.ts';
import type {BesideRow, DrillDocument} from '../lib/drill/report.ts';
import {refused, usageError} from '../lib/errors.ts';
import {EXIT, type ExitCode} from '../lib/exit-codes.ts';
import type {Conducted} from '../lib/operate/conduct.ts';
import type {Beside} from '../lib/operate/drill-beside.ts';
import type {World} from '../lib/operate/world.ts';
import type {Override, Plan} from '../lib/plan/plan.ts';
import type {JournalEvent} from '../lib/ports/state.ts';
import type {OpenFleet} from '../lib/providers/open-fleet.ts';
import type {PhaseMark} from '../lib/run/runner.ts';
import {RegionCommand} from './command.ts';

/** Flags of every command that starts a run. */
export const runFlags = {
  yes: Flags.boolean({char: 'y', description: 'do not ask'}),
  format: Flags.option({options: ['text', 'ndjson'] as const, description: 'ndjson prints one line per event'})({default: 'text'}),
};

/** Flags of every command that makes a plan whose gates may be overridden. */
export const overrideFlags = {
  override: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GATE',
    description: 'pass a gate that refuses, by name; needs --reason',
    default: [],
  }),
  reason: Flags.string({helpValue: 'TEXT', description: 'why a gate is overridden; it stays on the record'}),
};

/** Turns --override and --reason into the record. Throws a usage error when a reason is missing. */
export function overridesFrom(gates: readonly string[], reason: string | undefined, by: string): readonly Override[] {
  if (gates.length > 0 && reason === undefined) throw usageError('--override needs --reason "…": it stays on the record');
  return gates.map((gate) => ({gate, reason: reason ?? '', by}));
}

type Show = {
  readonly onEvent: (event: JournalEvent) => void;
  readonly done: () => Promise<void>;
  readonly onWitness: (witness: ReturnType<World['witness']>) => void;
};

/** A command that runs plans: asks first, shows the run live on a terminal and as lines elsewhere, and ends with its document. */
export abstract class RunCommand<T extends typeof Command> extends RegionCommand<T> {
  readonly #leave = new AbortController();
  #life = new AbortController();
  #show: Show | undefined;

  override async init(): Promise<void> {
    await super.init();
    this.onSecondInterrupt = () => (this.#leave.signal.aborted ? process.exit(EXIT.interrupted) : this.#leave.abort(new Error('left')));
  }

  /** The fleet, for a new run: refused (75) while another one acts on it, and (73) when nothing could be recorded. */
  protected async openToRun(): Promise<OpenFleet> {
    const [{refuseWhileHeld}, open] = await Promise.all([import('../lib/operate/conduct.ts'), this.openFleet()]);
    await refuseWhileHeld(open);
    return open;
  }

  protected async world(open: OpenFleet, more: {readonly resumed?: boolean; readonly guardForMs?: number | null} = {}): Promise<World> {
    const {worldOf} = await import('../lib/operate/world.ts');
    return worldOf(open, {life: this.#life.signal, ...more, onWitness: (witness) => this.#show?.onWitness(witness)});
  }

  /** Who gives an override, for the record. */
  protected async overrides(gates: readonly string[], reason: string | undefined): Promise<readonly Override[]> {
    const {identityText, whoAmI} = await import('../lib/state/identity.ts');
    return overridesFrom(gates, reason, identityText(whoAmI()));
  }

  /** On a terminal asks for the name of the region that will be demoted, emptied or taken back; without one --yes must be given. */
  protected confirm(plan: Plan, yes: boolean): Promise<void> {
    const {kind, from, to} = plan;
    const [wanted, what] =
      kind === 'evacuation' ? [from, 'emptied'] : kind === 'readmission' ? [to, 'given traffic again'] : [from, 'demoted'];
    const prompt = `Type the name of the region that will be ${what} (${wanted}) to go on: `;
    const way = from !== null && to !== null ? `from ${from} to ${to}` : `of ${wanted}`;
    return this.agree({what: `this runs ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} ${way}`, prompt, wanted: wanted ?? ''}, yes);
  }

  /** On a terminal asks for a word that only somebody types who has read what will happen; without one --yes must be given. */
  protected async agree({what, prompt, wanted}: {what: string; prompt: string; wanted: string}, yes: boolean): Promise<void> {
    if (yes) return;
    if (!process.stdin.isTTY || !process.stderr.isTTY || this.jsonEnabled())
      throw usageError(`${what}: say so with --yes, since there is no terminal to ask on`);
    const answer = await this.#ask(prompt);
    if (answer !== wanted)
      throw refused('not-confirmed', `nothing was done: ${answer === '' ? 'no name was given' : `"${answer}" is not ${wanted}`}`);
  }

  /** What a person types; nothing at the end of the input. Ctrl+C at the question is an interrupt like any other. */
  async #ask(question: string): Promise<string> {
    const {createInterface} = await import('node:readline/promises');
    const prompt = createInterface({input: process.stdin, output: process.stderr});
    // The prompt takes the key before the terminal makes a signal of it.
    prompt.on('SIGINT', () => this.interrupt.abort(new Error('interrupted')));
    const closed = new Promise<null>((resolve) => prompt.once('close', () => resolve(null)));
    const typed = prompt.question(question, {signal: this.interrupt.signal}).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'AbortError') return null;
      throw error;
    });
    try {
      const answer = await Promise.race([typed, closed]);
      if (answer === null) process.stderr.write('\n'); // nobody pressed Enter
      this.interrupt.signal.throwIfAborted();
      return answer?.trim() ?? '';
    } finally {
      prompt.close();
    }
  }

  /** What a run of the plan would do, step by step, and nothing of it done. `forMs` = how long asking may take, default 20 s. */
  protected async rehearsed(open: OpenFleet, world: World, plan: Plan, forMs = 20_000): Promise<unknown> {
    const [{rehearse}, {gateOpen, planDocument}, {dryRunText}] = await Promise.all([
      import('../lib/run/rehearse.ts'),
      import('../lib/plan/plan-document.ts'),
      import('../lib/output/dry-run-text.ts'),
    ]);
    const now = () => open.clock.now();
    const signal = AbortSignal.any([this.interrupt.signal, timeoutAwake(forMs)]);
    const ctx = {runId: 'dry-run', token: 'none', signal, now, deadline: now() + forMs};
    const document = {...planDocument(plan), dryRun: await rehearse(plan, world.actions, world.checks, ctx)};
    this.log(dryRunText(document, await this.layout()));
    this.verdict(document.gates.every(gateOpen) ? EXIT.good : EXIT.refused);
    return document;
  }

  /** Refuses (77) `--approve` where more than one person must approve, none of whom runs it. */
  protected refuseOwnApproval(plan: Plan, approve: boolean): void {
    const needs = plan.steps.find(({approval}) => (approval?.approvers ?? 0) > 1);
    if (!approve || needs?.approval == null) return;
    throw refused('own-run', `--approve does not count for ${needs.id}: ${needs.approval.approvers} people who do not run it must approve`);
  }

  /** Runs a plan that passed its gates. */
  protected async conduct(
    open: OpenFleet,
    world: World,
    plan: Plan,
    {marks, approve = false}: {readonly marks: readonly PhaseMark[]; readonly approve?: boolean},
  ): Promise<Conducted> {
    const {conductPlan} = await import('../lib/operate/conduct.ts');
    return this.#shown(open, plan, (onEvent) =>
      conductPlan(open, world, plan, {interrupt: this.interrupt.signal, leave: this.#leave.signal, onEvent, marks, approve}),
    );
  }

  /** Goes on with a run, or takes it back. */
  protected async conductTakeUp(
    open: OpenFleet,
    world: World,
    run: {readonly runId: string; readonly plan: Plan},
    how: {readonly going: 'forward' | 'back'; readonly reason: string | null; readonly approve?: boolean},
  ): Promise<Conducted> {
    const {conductTakeUp} = await import('../lib/operate/conduct.ts');
    return this.#shown(open, run.plan, (onEvent) =>
      conductTakeUp(open, world, run, {...how, interrupt: this.interrupt.signal, leave: this.#leave.signal, onEvent}),
    );
  }

  /** Prints a finished run and sets the exit code. With NDJSON the document is the last line. */
  protected async report({document, events}: Conducted): Promise<unknown> {
    const [{runText}, {documentExit}] = await Promise.all([import('../lib/output/run-text.ts'), import('../lib/run/document.ts')]);
    if ((this.flags as {format?: string}).format === 'ndjson') this.log(JSON.stringify(document));
    else this.log(runText(document, await this.layout()));
    this.verdict(documentExit(document, events));
    return document;
  }

  /** What follows the run of a drill (`endDrill`). */
  protected async drillReport(open: OpenFleet, conducted: Conducted): Promise<DrillDocument> {
    const {endDrill} = await import('./drill-end.ts');
    return endDrill(open, conducted, {beside: (what) => this.runBeside(open, what), signal: this.interrupt.signal});
  }

  /** A run before or after a drill, with a journal of its own. */
  protected async runBeside(open: OpenFleet, what: Pick<Beside, 'when' | 'kind' | 'to'>): Promise<BesideRow> {
    const {besideDrill} = await import('../lib/operate/drill-beside.ts');
    return besideDrill(open, await this.world(open), {
      ...what,
      signal: this.interrupt.signal,
      conduct: (plan, marks, world) => this.conduct(open, world, plan, {marks}),
    });
  }

  /** Prints a drill's report. Answers its exit code. */
  protected async showDrill(report: DrillDocument): Promise<ExitCode> {
    const [{drillExit}, {drillText}] = await Promise.all([import('../lib/drill/judge.ts'), import('../lib/output/drill-text.ts')]);
    const isNdjson = (this.flags as {format?: string}).format === 'ndjson';
    this.log(isNdjson ? JSON.stringify(report) : drillText(report, await this.layout()));
    return drillExit(report);
  }

  async #shown(open: OpenFleet, plan: Plan, run: (onEvent: (event: JournalEvent) => void) => Promise<Conducted>): Promise<Conducted> {
    this.#show = await this.#startShow(open, plan);
    try {
      return await run(this.#show.onEvent);
    } finally {
      await this.#show.done();
      this.#life.abort(new Error('the run is over'));
      // A run that follows has a life of its own.
      this.#life = new AbortController();
    }
  }

  /** A live view on a terminal, NDJSON where it was asked for, plain lines on stderr otherwise, and for a screen reader; nothing with --json. */
  async #startShow(open: OpenFleet, plan: Plan): Promise<Show> {
    const silent = {onWitness: () => {}, done: async () => {}};
    const format = (this.flags as {format?: string}).format;
    if (format === 'ndjson') return {...silent, onEvent: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`)};
    if (this.jsonEnabled()) return {...silent, onEvent: () => {}};
    const {canDraw, isRead} = await import('../lib/ui/can-draw.ts');
    if (canDraw()) {
      const {startLiveRun} = await import('../lib/ui/live-run.ts');
      return startLiveRun({open, plan, onInterrupt: () => process.kill(process.pid, 'SIGINT')});
    }
    const [{runLine, spokenRunLine}, paint] = await Promise.all([import('../lib/output/run-lines.ts'), this.paint()]);
    const startedAt = open.clock.wall();
    const isSpoken = process.stderr.isTTY && isRead();
    return {
      ...silent,
      onEvent: (event) => {
        const line = isSpoken
          ? spokenRunLine(event, {plan, startedAt})
          : runLine(event, {plan, startedAt, paint, columns: process.stderr.columns ?? 120});
        if (line !== null) process.stderr.write(`${line}\n`);
      },
    };
  }
}
