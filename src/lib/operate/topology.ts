import type {ExitCode} from '../exit-codes.ts';
import type {Fleet, StoreSpec, Tier} from '../fleet/fleet.ts';
import {verdictExit} from '../health/verdict.ts';
import {observeFenced} from '../observe/observe-fenced.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeTopology} from '../replication/topology.ts';
import type {PlacedMember, StoreForTopology, TopologyDocument} from '../replication/topology-model.ts';
import {type Cell, unknown} from '../snapshot/cell.ts';
import type {Member} from '../snapshot/snapshot.ts';
import {type Asked, askInTime} from './ask-in-time.ts';
import {type LagDocument, readLag} from './lag.ts';

export type TopologyOptions = {readonly signal: AbortSignal; readonly store?: string | undefined};

const TIERS: Readonly<Record<Tier, number>> = {hot: 0, warm: 1, cold: 2};

/**
 * How the stores replicate, by the links that are really there. Every store is asked at the same time for its members and its links; one that cannot
 * be read is shown as unknown. Exit code: that of the worst finding.
 */
export async function readTopology(
  open: OpenFleet,
  {signal, store}: TopologyOptions,
): Promise<{document: TopologyDocument; exit: ExitCode}> {
  const specs = open.fleet.stores.filter(({name}) => store === undefined || name === store);
  const stores = await Promise.all(specs.map((spec) => readStore(open, spec, signal)));
  const document = judgeTopology(new Date(open.clock.wall()).toISOString(), stores);
  return {document, exit: verdictExit(document.verdict)};
}

async function readStore(open: OpenFleet, spec: StoreSpec, signal: AbortSignal): Promise<StoreForTopology> {
  const opened = open.stores[spec.name];
  const [seen, lag] = await Promise.all([
    askInTime(signal, async (own) => {
      if (opened === undefined) throw new Error(`the store ${spec.name} was not opened`);
      return observeFenced(opened, open.clock, own);
    }),
    askInTime(signal, (own) => readLag(open, {signal: own, store: spec.name, heartbeat: false})),
  ]);
  const at = open.clock.wall();
  return {
    store: spec.name,
    engine: spec.engine,
    at,
    members: spec.members.map((member) => placed(open.fleet, member)),
    classes: open.fleet.dataClasses.filter(({name}) => spec.dataClasses.includes(name)),
    seen: cellsOf(spec, seen, at),
    links: lag.ok ? lag.value.document.links : [],
    linksTrouble: troubleOf(spec, lag, opened?.abilities.links !== undefined),
  };
}

function placed(fleet: Fleet, {name, region, site}: StoreSpec['members'][number]): PlacedMember {
  const place = fleet.regions.find((each) => each.name === region);
  return {name, region, site, jurisdiction: place?.jurisdiction ?? '', tier: TIERS[place?.tier ?? 'hot']};
}

function cellsOf(spec: StoreSpec, seen: Asked<Readonly<Record<string, Cell<Member>>>>, at: number): StoreForTopology['seen'] {
  if (seen.ok) return seen.value;
  return Object.fromEntries(spec.members.map(({name}) => [name, unknown(seen.code, seen.reason, at)]));
}

function troubleOf({engine}: StoreSpec, lag: Asked<{document: LagDocument}>, readable: boolean): StoreForTopology['linksTrouble'] {
  if (!lag.ok) return {code: lag.code, reason: lag.reason};
  const [unread] = lag.value.document.unread;
  if (unread !== undefined) return {code: unread.code, reason: unread.reason};
  return readable ? null : {code: 'no-links', reason: `the engine ${engine} does not tell of its links`};
}
