import {setImmediate} from 'node:timers/promises';
import {type SurviveDocument, surviveDocument} from '../capacity/survive/document.ts';
import {surviveFacts} from '../capacity/survive/facts-of-fleet.ts';
import {combinationsOf} from '../capacity/survive/flows.ts';
import type {LoadVerdict} from '../capacity/survive/judge-load.ts';
import {standingOf} from '../capacity/survive/now.ts';
import {type Survival, surviveNow} from '../capacity/survive/survive.ts';
import {usageError} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import {regionOf} from '../fleet/lookup.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {fleetNow} from './fleet-now.ts';
import {loadInTime} from './load-in-time.ts';

/** `lose`: these regions at once; none = each by itself, and with `depth` 2 every two. `windowMs` = instead of the fleet file's. */
export type SurviveOptions = {
  readonly lose: readonly string[];
  readonly depth: 1 | 2;
  readonly windowMs?: number | undefined;
  readonly signal: AbortSignal;
};

/** Reads every load that moves with traffic, and judges what is left when regions are lost, as the routers and the last checks of health say that the fleet stands. Exit code: 0 survives, 1 tight, 2 a limit breaks, 3 not known. */
export async function judgeSurvival(
  open: OpenFleet,
  {lose, depth, windowMs, signal}: SurviveOptions,
): Promise<{document: SurviveDocument; exit: ExitCode}> {
  const {fleet} = open;
  for (const name of lose) regionOf(fleet, name);
  const facts = surviveFacts(fleet, {windowMs});
  if (facts === null)
    throw usageError(
      'the fleet file has no series in capacity.series that moves with traffic, such as throughput or cpu with its regions',
      {
        suggestions: ['Describe one under capacity.series, with a limit for each region.'],
      },
    );
  const names = facts.loads.map(({name}) => name);
  const [loads, now] = await Promise.all([loadInTime(open, {names, signal}), fleetNow(open, signal)]);
  const standing = standingOf(facts, now);
  const found: Survival[] = [];
  for (const each of lose.length > 0 ? [[...new Set(lose)]] : combinationsOf(facts, depth)) {
    // Many regions are many forecasts: an interruption is seen between them.
    await setImmediate();
    signal.throwIfAborted();
    found.push(surviveNow(standing, loads, {lose: each}));
  }
  const document = surviveDocument(fleet.name, {facts, loads, found, now, assumed: standing.assumed});
  return {document, exit: EXITS[document.verdict]};
}

const EXITS: Readonly<Record<LoadVerdict, ExitCode>> = {
  survives: EXIT.good,
  tight: EXIT.warning,
  breaks: EXIT.critical,
  unknown: EXIT.unknown,
};
