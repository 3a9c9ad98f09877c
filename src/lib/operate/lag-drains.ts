import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {DrainLink} from '../traffic/read-drain.ts';
import {type DrainEvent, type DrainOptions, type DrainRow, drainReads, heldNow, refuseUndrainable} from './drain-reads.ts';
import {type LagDocument, type LagOptions, readLag} from './lag.ts';

/** The document of `replication lag`: what is held off routes by breakers, and with --drain what this look did about it. */
export type LagDrainDocument = LagDocument & {readonly drains: readonly DrainRow[]; readonly drained?: readonly DrainEvent[]};

/** `leave` = when a run may be left in the middle; null = nothing is drained. */
export type LagDrainOptions = LagOptions & {readonly drain: Pick<DrainOptions, 'leave'> | null};

/** Reads every link and, where that is asked, does what their breakers ask for. What should have been done and was not is a warning at least. */
export async function lagAndDrains(
  open: OpenFleet,
  {drain, ...options}: LagDrainOptions,
): Promise<{document: LagDrainDocument; exit: ExitCode}> {
  if (drain !== null) refuseUndrainable(open, await open.state());
  const {document, exit} = await readLag(open, options);
  const drained = drain === null ? null : await drainReads(open, document.links.map(linkOf), {signal: options.signal, ...drain});
  const state = await open.state().catch(() => null);
  const drains = state === null ? [] : heldNow(open, state);
  const isUndone = drained?.some(({what}) => what === 'failed') === true;
  return {
    document: {...document, drains, ...(drained === null ? {} : {drained})},
    exit: isUndone && exit === EXIT.good ? EXIT.warning : exit,
  };
}

/** What was read just now is fresh. */
function linkOf(row: LagDocument['links'][number]): DrainLink {
  const {store, from, to, link, state, seconds, breaker} = row;
  const closed = {state: 'closed', since: '', reason: 'closed'} as const;
  return {store, from, to, ...(link === undefined ? {} : {link}), state, seconds, breaker: breaker ?? closed, isFresh: true};
}
