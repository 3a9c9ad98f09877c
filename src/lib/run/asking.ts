import {messageOf, unavailable} from '../errors.ts';
import type {Answer, Ctx} from '../plan/action.ts';
import type {Expectation, Target} from '../plan/plan.ts';
import type {Run} from './context.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;

/** Asks one expectation. A check that throws has told nothing: the answer is unknown, with what it said. */
export async function ask(run: Run, ctx: Ctx, fact: Expectation): Promise<Answer> {
  try {
    const answer = await run.checks.get(fact.check).ask(ctx, fact.target, fact.want, fact.via);
    // A check that Ctrl+C cut off may tell its own end as the target's answer: that says nothing of the target.
    if (answer.holds !== true && run.cancelledBy()?.aborted === true) ctx.signal.throwIfAborted();
    return answer;
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    return {holds: null, measured: null, says: `${fact.check} of ${targetText(fact.target)} could not be told: ${messageOf(error)}`};
  }
}

/** Asks them all at once, so that a slow target does not delay the others. Answers in the order of the facts. */
export function askAll(run: Run, ctx: Ctx, facts: readonly Expectation[]): Promise<readonly Answer[]> {
  return Promise.all(facts.map((fact) => ask(run, ctx, fact)));
}

/** The first answer that is not a plain yes, or null. Unknown is no yes. */
export function objection(answers: readonly Answer[]): Answer | null {
  return answers.find((answer) => answer.holds !== true) ?? null;
}

/** All sentences in one. */
export function sentences(answers: readonly Answer[]): string {
  return answers.map((answer) => answer.says).join('; ');
}

/** Asks until all hold; at the deadline of `ctx` it throws `not-ensured` with the sentence of the fact that does not. */
export async function untilAllHold(run: Run, ctx: Ctx, facts: readonly Expectation[]): Promise<readonly Answer[]> {
  let refusal: Answer | null = null;
  try {
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(ms * 2, LONGEST_PAUSE_MS)) {
      const answers = await askAll(run, ctx, facts);
      refusal = objection(answers);
      if (refusal === null) return answers;
      await pauseBefore(run, ctx, ms);
    }
  } catch (error) {
    if (refusal !== null && run.clock.now() >= ctx.deadline) throw unavailable('not-ensured', refusal.says, {cause: error});
    throw error;
  }
}

/** A target for people: its names, most exact last. */
export function targetText(target: Target): string {
  const names = [target.region, target.store, target.member, target.router, target.fault].filter((name) => name !== undefined);
  return names.length === 0 ? 'the fleet' : names.join('/');
}

async function pauseBefore(run: Run, ctx: Ctx, ms: number): Promise<void> {
  const rest = ctx.deadline - run.clock.now();
  if (rest <= 0) throw unavailable('deadline', 'the deadline is over');
  await run.clock.sleep(Math.min(ms, rest), ctx.signal);
}
