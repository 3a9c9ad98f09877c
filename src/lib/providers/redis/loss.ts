import {usageError} from '../../errors.ts';
import type {Abilities} from '../../ports/store.ts';
import type {Ensemble} from './ensemble.ts';
import {type AllFacts, type Facts, isPartOf, primariesOf, readAll} from './facts.ts';
import {logOf, noteEnds} from './links.ts';

type Reading = Awaited<ReturnType<Abilities['loss']['loss']>>;
type Figures = Pick<Reading, 'bytes' | 'seconds' | 'certainty' | 'basis'>;

/** The second look, by which the rate of writes is known. */
const SECOND_LOOK_MS = 250;

/** What the primary holds at this moment and `to` has not executed: a live reading, so an estimate. Redis counts no transactions. */
export function createLoss(ensemble: Ensemble): Abilities['loss'] {
  return {
    loss: async (to, signal) => {
      const figures = await lossOf(ensemble, to, signal);
      return {store: ensemble.store, transactions: figures.bytes === 0 ? 0 : null, ...figures};
    },
  };
}

async function lossOf(ensemble: Ensemble, to: string, signal: AbortSignal): Promise<Figures> {
  if (!ensemble.nodes.has(to))
    throw usageError(`Store ${ensemble.store} has no member ${to}.`, {
      suggestions: [`Known members: ${[...ensemble.nodes.keys()].join(', ')}.`],
    });
  const first = await look(ensemble, to, signal);
  if ('nothing' in first) return nothing(first.nothing);
  if (first.behind === 0) return figure(first, 0);
  await ensemble.clock.sleep(SECOND_LOOK_MS, signal);
  const second = await look(ensemble, to, signal);
  if ('nothing' in second) return nothing(second.nothing);
  return second.behind === 0 ? figure(second, 0) : figure(second, secondsOf(ensemble, first, second));
}

type Look = {
  readonly to: string;
  readonly primary: string;
  readonly sender: Facts;
  readonly receiver: Facts;
  readonly behind: number;
};

async function look(ensemble: Ensemble, to: string, signal: AbortSignal): Promise<Look | {readonly nothing: string}> {
  const facts = await readAll(ensemble, signal);
  noteEnds(ensemble, facts);
  return judgeLook(ensemble.store, to, facts);
}

/** What one look says, or why it says nothing. */
export function judgeLook(store: string, to: string, facts: AllFacts): Look | {readonly nothing: string} {
  const target = facts[to];
  if (target?.known !== true) return {nothing: target?.reason ?? `${to} was not read.`};
  const [primary, rival] = primariesOf(facts);
  if (primary === undefined) return {nothing: `No primary of ${store} answers.`};
  const receiver = target.value;
  if (primary.name === to && rival === undefined) return {to, primary: to, sender: receiver, receiver, behind: 0};
  if (receiver.role === 'primary')
    return {
      nothing: `${primary.name} and ${primary.name === to ? rival?.name : to} are both primaries: what either lacks of the other is not known.`,
    };
  const {end} = primary.facts;
  if (receiver.loading !== null || receiver.upstream?.copying != null) return {nothing: `${to} has no whole copy of the data yet.`};
  if (!isPartOf(receiver, primary.facts) || end === null || receiver.offset === null)
    return {nothing: `${to} holds another history than ${primary.name}: it has to take a full copy first.`};
  return {to, primary: primary.name, sender: primary.facts, receiver, behind: Math.max(0, end - receiver.offset)};
}

/**
 * Since when something is missing: as looks of this process show, where one of them was early enough; else as long as writing that much takes at the present
 * rate, and not less than the replica has been silent.
 */
function secondsOf({trail, clock}: Ensemble, first: Look, second: Look): number | null {
  const held = second.receiver.offset ?? 0;
  const seen = trail.secondsSince(logOf(second.primary, second.sender), held, clock.now());
  if (seen !== null) return seen;
  const elapsed = (second.sender.at - first.sender.at) / 1000;
  const rate = elapsed > 0 ? ((second.sender.end ?? 0) - (first.sender.end ?? 0)) / elapsed : 0;
  const byRate = rate > 0 ? second.behind / rate : null;
  const {heardSeconds = null, downSeconds = null} = second.receiver.upstream ?? {};
  const silent = heardSeconds ?? downSeconds;
  return byRate === null ? silent : Math.max(byRate, silent ?? 0);
}

function figure({to, primary, behind}: Look, seconds: number | null): Figures {
  const basis =
    primary === to ? `${to} is the primary already.` : `${primary} and ${to} were read at the same moment; ${primary} may write on.`;
  return {bytes: behind, seconds, certainty: 'estimate', basis};
}

const nothing = (basis: string): Figures => ({bytes: null, seconds: null, certainty: 'unknown', basis});
