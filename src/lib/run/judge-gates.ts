import {leaseHeld, messageOf, refused} from '../errors.ts';
import type {Answer, Ctx} from '../plan/action.ts';
import type {Gate, Plan} from '../plan/plan.ts';
import {gateOpen, gateRows} from '../plan/plan-document.ts';
import type {CheckRegistry} from './registry.ts';

/** Asks the world about every gate that has questions, all at once. Nothing is written. A gate whose question cannot be answered is `unknown`. */
export async function judgeGates(plan: Plan, checks: CheckRegistry, ctx: Ctx): Promise<Plan> {
  return {...plan, gates: await Promise.all(plan.gates.map((gate) => judgeGate(gate, checks, ctx)))};
}

/** Gates that are shut because somebody else is at work: whoever runs into them waits, or takes over. */
const BY_OTHERS = /^(unclaimed|alone):/;

/** Refuses (77; 75 where somebody else is at work) with the sentence of the first gate that is shut; the others are listed as what else stands in the way. */
export function refuseShutGates(plan: Plan): void {
  const [first, ...others] = gateRows(plan).filter((gate) => !gateOpen(gate));
  if (first === undefined) return;
  const override = first.overridable ? [`if you know better, pass it by name: --override ${first.id} --reason "…"`] : [];
  const isOthers = BY_OTHERS.test(first.id) && first.verdict === 'refuse';
  if (isOthers) throw leaseHeld(`nothing was done: ${first.says}`, {suggestions: ['wait for it to end', ...override]});
  throw refused(
    'gate-refused',
    `nothing was done, gate ${first.id} ${first.verdict === 'refuse' ? 'refuses' : 'does not know'}: ${first.says}`,
    {
      suggestions: [...others.map(({id, says}) => `see also gate ${id}: ${says}`), ...override],
    },
  );
}

async function judgeGate(gate: Gate, checks: CheckRegistry, ctx: Ctx): Promise<Gate> {
  if (gate.asks.length === 0) return gate;
  const answers = await Promise.all(
    gate.asks.map(({check, target, want, via}) => ask(() => checks.get(check).ask(ctx, target, want, via))),
  );
  const worst = answers.find(({holds}) => holds === false) ?? answers.find(({holds}) => holds === null) ?? answers[0];
  const verdict = worst === undefined || worst.holds === true ? 'pass' : worst.holds === false ? 'refuse' : 'unknown';
  return {
    ...gate,
    verdict,
    measured: answers.length === 1 ? (answers[0]?.measured ?? null) : answers.map(({measured}) => measured),
    says: worst?.says ?? gate.says,
  };
}

async function ask(question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await question();
  } catch (error) {
    return {holds: null, measured: null, says: `it could not be told: ${messageOf(error)}`};
  }
}
