import {RegionctlError, refused} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Action} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import {type DrillArguments, named} from './arguments.ts';
import {commandReaction, type Operator} from './reaction-command.ts';
import {askCheck, type Senses} from './senses.ts';
import {untilWritable} from './until-writable.ts';

/** What reactions reach the world by, beside the drill's senses. */
export type ReactionDeps = {
  readonly senses: Senses;
  readonly clock: Clock;
  /** Plans a failover of the fleet as it is now, and answers the gates that refuse it; none = it would be carried out. Nothing is written. */
  refusals(to: string | null, signal: AbortSignal): Promise<readonly {readonly gate: string; readonly says: string}[]>;
  /** Runs regionctl as a process of its own; null = this process does not know its own program. */
  readonly operator: Operator | null;
};

const LOOK_MS = 500;

/** `reaction.person`, `reaction.exec`, `reaction.refused` and `reaction.command`. */
export function reactionActions(deps: ReactionDeps): readonly Action[] {
  return [person(deps), execReaction(deps), refusedReaction(deps), commandReaction(deps)] as readonly Action[];
}

function person(deps: ReactionDeps): Action<DrillArguments['reaction.person']> {
  return {
    ...named('reaction.person', 'none'),
    describe: (_target, {prompts}) => `wait for a person: ${prompts.join('; ')}`,
    look: async () => 'before',
    async apply(ctx, _target, {prompts, until, withinMs}) {
      const {clock, senses} = deps;
      const began = clock.now();
      for (;;) {
        const said = (await Promise.all(until.map((check) => askCheck(senses, check, [], ctx.signal)))).flat();
        const afterMs = Math.round(clock.now() - began);
        const open = said.filter(({holds}) => holds !== true);
        if (open.length === 0)
          return {prompts, afterMs, says: `done by a person after ${formatMs(afterMs)}: ${said.map(({says}) => says).join('; ')}`};
        if (afterMs >= withinMs) throw notDone(`nobody had done it within ${formatMs(withinMs)}`, open.map(({says}) => says).join('; '));
        await clock.sleep(LOOK_MS, ctx.signal);
      }
    },
  };
}

function execReaction({senses, clock}: ReactionDeps): Action<DrillArguments['reaction.exec']> {
  return {
    // What verifies it is part of it: the runner asks for that beforehand too, and takes it for done already.
    ...named('reaction.exec', 'none'),
    describe: (_target, {run}) => `run ${run.join(' ')}`,
    look: async () => 'before',
    async apply(ctx, _target, {run, withinMs}) {
      const began = clock.now();
      const {code, says} = await senses.exec(run, withinMs, ctx.signal);
      if (code !== 0) throw notDone(`${run.join(' ')} did not do it`, says);
      const afterMs = Math.round(clock.now() - began);
      // That clients can write is no sign that it has been done already: not every fault keeps them from it.
      const seen = await untilWritable({senses, clock}, began + withinMs, ctx.signal);
      if (seen !== null) throw notDone(`${run.join(' ')} ended well, and clients cannot write`, seen);
      return {afterMs, says: `${run.join(' ')} ended well after ${formatMs(afterMs)}`};
    },
  };
}

/** A failover that is not refused where it must be is the finding of the drill: it is not carried out. */
function refusedReaction(deps: ReactionDeps): Action<DrillArguments['reaction.refused']> {
  return {
    ...named('reaction.refused', 'none'),
    describe: () => 'plan a failover and see it refused',
    look: async () => 'before',
    async apply(ctx, _target, {to, gates, withinMs}) {
      const {clock} = deps;
      const began = clock.now();
      for (;;) {
        const found = await deps.refusals(to, ctx.signal);
        const missing = gates.filter((gate) => !found.some((each) => each.gate === gate || each.gate.startsWith(`${gate}:`)));
        const names = found.map(({gate}) => gate);
        if (found.length > 0 && missing.length === 0)
          return {gates: names, says: `refused by ${found.map(({gate, says}) => `${gate}: ${says}`).join('; ')}`};
        if (found.length === 0) throw refused('not-refused', 'a failover would have been carried out: no gate refuses it');
        if (clock.now() - began >= withinMs)
          throw refused('not-refused', `${missing.join(', ')} did not refuse the failover; ${names.join(', ')} did`);
        await clock.sleep(LOOK_MS, ctx.signal);
      }
    },
  };
}

function notDone(what: string, says: string): RegionctlError {
  return new RegionctlError('no-reaction', EXIT.critical, `${what}: ${says}`);
}
