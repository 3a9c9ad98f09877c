import {bounded, timeoutAwake} from '../awake.ts';
import type {ClockLook, Senses} from '../drill/senses.ts';
import {messageOf} from '../errors.ts';
import {findPrimary} from '../failover/find-primary.ts';
import {judgeFleet} from '../health/judge.ts';
import {probeAll} from '../health/sweep.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {Answer} from '../plan/action.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';
import type {RegionHealth} from '../snapshot/snapshot.ts';
import {largestLag, readLag} from './lag.ts';

const CLOCKS_MS = 5000;

/** What a drill looks at an open fleet by; but for what its own witness and load tell. */
export function sensesOf(open: OpenFleet): Omit<Senses, 'sinceAckMs' | 'loadNow'> {
  return {
    regions: open.fleet.regions.map(({name}) => name),
    sampleHealth: (region, signal) => sampleRegion(open, region, signal),
    writable: (signal) => writable(open, signal),
    lagMs: (except, signal) => largestLag(open, except, signal),
    links: (signal) => links(open, signal),
    clocks: (signal) => clocks(open, signal),
    primaries: (signal) => primaries(open, signal),
    exec: (run, timeoutMs, signal) => open.exec(run, {timeoutMs, signal}),
  };
}

/** One fresh look at one region. A single failure counts: the caller asks for as many in a row as it wants. */
export async function sampleRegion(open: OpenFleet, region: string, signal: AbortSignal): Promise<Cell<RegionHealth>> {
  const endpoints = open.probes.filter(({endpoint}) => endpoint.region === region);
  const {clock, uplinks} = open;
  const readings = await probeAll({endpoints, uplinks, clock, signal, attempts: {fall: 1, pauseMs: 0}});
  const regions = open.fleet.regions.filter(({name}) => name === region);
  const [judged] = judgeFleet({regions}, readings).regions;
  const at = open.clock.wall();
  if (judged === undefined) return unknown('unknown-region', `the fleet file has no region "${region}"`, at);
  const {verdict, code, reason, agree, asked} = judged;
  return verdict === 'unknown' ? unknown(code, reason, at) : known({verdict, agree, asked, code, reason}, at, 'here');
}

/** Whether a write is accepted where clients enter. Only asked where the fleet file lets regionctl write. */
async function writable({fleet, clock}: OpenFleet, signal: AbortSignal): Promise<Answer> {
  if (fleet.witness === null) return {holds: null, measured: null, says: 'the fleet file does not let regionctl write (witness)'};
  const {postOrder} = await import('../failover/post-order.ts');
  const answer = await postOrder(
    fleet.witness.url,
    `steady-${clock.wall()}`,
    AbortSignal.any([signal, timeoutAwake(fleet.witness.deadlineMs)]),
  );
  return {
    holds: answer.ok,
    measured: answer.text,
    says: answer.ok ? `a write is accepted by ${answer.region ?? 'the service'}` : `a write is refused: ${answer.text}`,
  };
}

async function links(open: OpenFleet, signal: AbortSignal): ReturnType<Senses['links']> {
  const at = open.clock.wall();
  try {
    // Gates ask it too, and a dry run writes nothing. While a drill runs its witness writes.
    const {document} = await readLag(open, {signal, heartbeat: false});
    const [unread] = document.unread;
    if (document.links.length === 0 && unread !== undefined) return unknown(unread.code, unread.reason, at);
    const looks = document.links.map(({store, to, state, reason, breaker}) => ({
      ...{store, state, reason},
      to: open.fleet.stores.find(({name}) => name === store)?.members.find(({name}) => name === to)?.region ?? to,
      breaker: breaker?.state ?? null,
    }));
    return known(looks, at, 'here');
  } catch (error) {
    signal.throwIfAborted();
    return unknown('unreadable', messageOf(error), at);
  }
}

/** A store that tells the time and cannot be asked now is one whose members did not tell. */
async function clocks({fleet, stores}: OpenFleet, signal: AbortSignal): Promise<readonly ClockLook[]> {
  const looks = fleet.stores.map(async ({name: store, members}): Promise<readonly ClockLook[]> => {
    const clock = stores[store]?.abilities.clock;
    if (clock === undefined) return [];
    const {signal: limited, end} = bounded(signal, CLOCKS_MS);
    try {
      const offsets = await clock.offsets(limited);
      return members.map(({name, region}) => ({store, member: name, region, offsetMs: offsets[name] ?? null}));
    } catch {
      signal.throwIfAborted();
      return members.map(({name, region}) => ({store, member: name, region, offsetMs: null}));
    } finally {
      end();
    }
  });
  return (await Promise.all(looks)).flat();
}

async function primaries(open: OpenFleet, signal: AbortSignal): ReturnType<Senses['primaries']> {
  const {snapshot} = await observeFleet({...open, signal, vantage: 'here'});
  const at = open.clock.wall();
  return Object.fromEntries(
    open.fleet.stores.flatMap((spec) => {
      const store = snapshot.stores[spec.name];
      if (store === undefined || open.stores[spec.name]?.peers === true) return [];
      const cell: Cell<string | null> = known(findPrimary(store, spec)?.region ?? null, at, 'here');
      return [[spec.name, cell] as const];
    }),
  );
}
