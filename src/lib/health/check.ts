import {messageOf} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {regionOf} from '../fleet/lookup.ts';
import type {Clock} from '../ports/clock.ts';
import type {Memory} from '../ports/state.ts';
import type {Uplink} from '../ports/vantage.ts';
import {type HealthDocument, healthDocument} from './document.ts';
import {type FleetJudgement, judgeFleet, onlyRegions} from './judge.ts';
import {noUplink} from './own-network.ts';
import {isSilent, provesNetwork} from './quorum.ts';
import {type FleetNow, withMemory, withoutMemory} from './region-memory.ts';
import {type EndpointReading, probeAll, type SweepOptions, type SweepTarget} from './sweep.ts';
import {verdictExit} from './verdict.ts';

/** What a check needs of an open fleet. `state` opens the memory for "since when". */
export type Checked = {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly probes: readonly SweepTarget[];
  readonly uplinks?: readonly Uplink[];
  state(): Promise<Memory>;
};

export type CheckOptions = {
  /** Only this region. */
  readonly region?: string | undefined;
  readonly signal: AbortSignal;
  readonly attempts?: SweepOptions['attempts'];
  /** Every vantage point is waited for, also when the rest can change no verdict. Default false. */
  readonly all?: boolean;
};

/**
 * Asks every endpoint and judges every region. A state that cannot be opened costs `since` and `recovering`, never the verdict: it is noted. Throws a
 * usage error for an unknown region, and the signal's reason when cancelled.
 */
export async function checkHealth(open: Checked, options: CheckOptions): Promise<{document: HealthDocument; exit: ExitCode}> {
  const {clock} = open;
  const fleet = options.region === undefined ? open.fleet : {...open.fleet, regions: [regionOf(open.fleet, options.region)]};
  const shown = fleet.regions.map(({name}) => name);
  const own = open.probes.filter(({endpoint}) => shown.includes(endpoint.region));
  const others = open.probes.filter((target) => !own.includes(target));
  const {signal, attempts, all = false} = options;
  const [readings, memory] = await Promise.all([
    readAll(own, others, {clock, signal, all, uplinks: open.uplinks ?? [], ...(attempts === undefined ? {} : {attempts})}),
    open.state().then(
      (state) => ({state}),
      (error: unknown) => ({error}),
    ),
  ]);
  signal.throwIfAborted();
  const at = clock.wall();
  const {now, notes} = remembered(onlyRegions(judgeFleet(open.fleet, readings), shown), {fleet, at, memory});
  const cut = noUplink(now.regions.flatMap((region) => region.endpoints));
  const document = healthDocument({fleet, now, at, notes: cut === null ? notes : [...notes, cut]});
  return {document, exit: verdictExit(document.verdict)};
}

/** Those of regions that are not shown are asked only when nothing of the shown ones answers: whether they do tells our own outage from theirs. */
async function readAll(
  own: readonly SweepTarget[],
  others: readonly SweepTarget[],
  how: Omit<SweepOptions, 'endpoints'>,
): Promise<readonly EndpointReading[]> {
  const readings = await probeAll({...how, endpoints: own});
  if (readings.length === 0 || others.length === 0 || !mayBeOurs(readings)) return readings;
  return [...readings, ...(await probeAll({...how, endpoints: others}))];
}

/** Something did not answer, and nothing did: that may be because of us. */
const mayBeOurs = (readings: readonly EndpointReading[]): boolean =>
  readings.some(({result}) => isSilent(result)) && !readings.some(({result}) => provesNetwork(result));

type Opened = {readonly state: Memory} | {readonly error: unknown};

function remembered(
  judgement: FleetJudgement,
  {fleet, at, memory}: {fleet: Fleet; at: number; memory: Opened},
): {now: FleetNow; notes: string[]} {
  try {
    if ('error' in memory) throw memory.error;
    return {now: withMemory(judgement, {fleet: fleet.name, at, memory: memory.state, limits: fleet.health}), notes: []};
  } catch (error) {
    return {now: withoutMemory(judgement, at), notes: [`since when is not known: ${messageOf(error)}`]};
  }
}
