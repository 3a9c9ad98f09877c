import {z} from 'zod';
import {timeoutAwake} from '../awake.ts';
import {settle} from '../consistency/audit/settle.ts';
import {messageOf, refused, unavailable} from '../errors.ts';
import type {Action, Answer, Check, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {LinkReading} from '../ports/store.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {RegionHealth} from '../snapshot/snapshot.ts';
import {brokenStreams, FIT, missingWays, noStream} from './peers.ts';
import {postOrder, type WriteAnswer} from './post-order.ts';
import {action} from './store-actions.ts';
import {abilityOf, type StoreWorld} from './store-world.ts';
import {routerOf, type TrafficWorld} from './traffic-actions.ts';

/** What an audit of a store came to. `reason` is one sentence; `rows` were compared, `unsettled` of them changed at every look; `skipped` are tables that were not. */
export type Audited = {
  readonly audit: string;
  readonly verdict: string;
  readonly reason: string;
  readonly rows: number;
  readonly unsettled: number;
  readonly skipped: readonly string[];
};

/** What acts on peers: besides stores and routers, a look at a region's health, and the audit of a store in some regions. */
export type PeerWorld = StoreWorld &
  TrafficWorld & {
    sampleHealth(region: string, signal: AbortSignal): Promise<Cell<RegionHealth>>;
    audit(store: string, regions: readonly string[], signal: AbortSignal): Promise<Audited>;
    /** Per store: the regions that this process has audited. */
    readonly audited: Map<string, readonly string[]>;
  };

const weights = z.record(z.string(), z.number().min(0).max(100));
const leaving = z.object({weights, graceMs: z.number().min(0)});
const giving = z.object({weights});
const writing = z.object({
  url: z.url(),
  deadlineMs: z.number().positive(),
  regions: z.array(z.string()).min(1),
  without: z.string().nullable(),
});
const auditing = z.object({regions: z.array(z.string()).min(2), accept: z.boolean()});
const sending = z.object({members: z.array(z.string()).min(1), others: z.array(z.string())});
const catching = z.object({members: z.array(z.string())});

/** After every region has answered, so many more writes look for one that should not, and so long is waited between two, in ms. */
const MORE_WRITES = 20;
const WRITE_PAUSE_MS = 20;
/** How long a gate waits for replication: it asks whether a region has caught up, not whether it will. */
const GATE_MS = 3000;

/** The actions that take a region out of the traffic and back, where every region takes writes. */
export function peerActions(world: PeerWorld): readonly Action[] {
  return [leave(world), giveBack(world), writes(world), awaitSent(world), awaitCaughtUp(world), audit(world)];
}

/** Questions about peers: streams, positions, and whether anybody is left. */
export function peerChecks(world: PeerWorld): readonly Check[] {
  return [
    {name: 'peers.linked', ask: (ctx, target, want) => linked(world, ctx, target, want)},
    {
      name: 'peers.caught-up',
      ask: async (ctx, target, want) => {
        const {members} = catching.parse(want);
        const {says, holds} = await arrived(world, ctx, target, {members, waitMs: GATE_MS});
        return {holds, measured: null, says};
      },
    },
    {name: 'peers.audited', ask: async (_ctx, target, want) => wasAudited(world, target, want)},
    {name: 'regions.any-well', ask: (ctx, _target, want) => anyWell(world, ctx, want)},
  ];
}

const leave = (world: PeerWorld) =>
  action({
    name: 'route.leave',
    effect: 'reversible',
    schema: leaving,
    describe: (target, args) =>
      `set ${target.router} to ${text(args.weights)}, and after ${args.graceMs} ms end the sessions of ${target.region}`,
    apply: async (ctx, target, args) => {
      const router = routerOf(world, target);
      await router.write(ctx, args.weights);
      if (router.cut === undefined) return {cut: null};
      if (args.graceMs > 0) await world.clock.sleep(args.graceMs, ctx.signal);
      return {cut: await router.cut(ctx, target.region ?? '')};
    },
  });

const giveBack = (world: PeerWorld) =>
  action({
    name: 'route.give-back',
    effect: 'reversible',
    schema: giving,
    describe: (target, args) => `set ${target.router} to ${text(args.weights)}, if ${target.region} is well`,
    apply: async (ctx, target, args) => {
      const {region = ''} = target;
      const cell = await world.sampleHealth(region, ctx.signal);
      const well = cell.known && FIT.includes(cell.value.verdict);
      if (!well)
        throw refused(
          'not-well',
          `${region} is ${cell.known ? `${cell.value.verdict}: ${cell.value.reason}` : `not known to be well: ${cell.reason}`}`,
        );
      await routerOf(world, target).write(ctx, args.weights);
      return null;
    },
  });

const writes = (world: PeerWorld) =>
  action({
    name: 'verify.writes',
    effect: 'none',
    schema: writing,
    describe: (_target, {url, regions}) => `POST numbered orders to ${url} until ${regions.join(' and ')} have answered`,
    apply: async (ctx, _target, args) => {
      const missing = new Set(args.regions);
      let last = 'no answer';
      let left = args.without === null ? 0 : MORE_WRITES;
      while (missing.size > 0 || left-- > 0) {
        if (ctx.now() >= ctx.deadline)
          throw unavailable('write-refused', `no write was accepted by ${[...missing].join(' and ')} through the front door: ${last}`);
        const answer = await writeOnce(ctx, args);
        last = answer.ok ? `${answer.region ?? 'an unnamed region'} answered` : answer.text;
        if (answer.ok) missing.delete(answer.region ?? '');
        // Cut short by the deadline, what was answered last tells more than that time is over.
        await world.clock.sleep(WRITE_PAUSE_MS, ctx.signal).catch((error: unknown) => {
          if (ctx.now() < ctx.deadline) throw error;
        });
      }
      return {says: `${args.regions.join(' and ')} accepted writes${args.without === null ? '' : `; ${args.without} was sent none`}`};
    },
  });

async function writeOnce(ctx: Ctx, {url, deadlineMs, without}: z.infer<typeof writing>): Promise<WriteAnswer> {
  const signal = AbortSignal.any([ctx.signal, timeoutAwake(deadlineMs)]);
  const answer = await postOrder(url, `verify-${ctx.runId}-${Math.round(ctx.now())}`, signal);
  if (answer.region !== null && answer.region === without)
    throw unavailable('still-served', `${without} still answers through the front door`);
  return answer;
}

const awaitSent = (world: PeerWorld) =>
  action({
    name: 'peers.await-sent',
    effect: 'none',
    schema: sending,
    describe: (target, {others}) => `wait until ${others.join(' and ')} have applied what ${target.region} has written by now`,
    apply: async (ctx, target, {members, others}) => {
      const among = {members: [...members, ...others], from: members, waitMs: Math.max(0, ctx.deadline - ctx.now() - LAST_MS)};
      const {holds, says} = await arrived(world, ctx, target, among);
      if (holds !== true) throw unavailable('not-sent', says);
      return {says: `${others.join(' and ')} ${others.length === 1 ? 'has' : 'have'} applied everything that ${target.region} wrote`};
    },
  });

const awaitCaughtUp = (world: PeerWorld) =>
  action({
    name: 'peers.await-caught-up',
    effect: 'none',
    schema: catching,
    describe: (_target, {members}) => `wait until ${members.join(', ')} have applied what each of them has now`,
    apply: async (ctx, target, {members}) => {
      const {holds, says} = await arrived(world, ctx, target, {members, waitMs: Math.max(0, ctx.deadline - ctx.now() - LAST_MS)});
      if (holds !== true) throw unavailable('behind', says);
      return {says};
    },
  });

/** So much of a deadline is left for the answer itself, in ms. */
const LAST_MS = 2000;

const audit = (world: PeerWorld) =>
  action({
    name: 'verify.audit',
    effect: 'none',
    schema: auditing,
    describe: (target, {regions}) => `compare every row of ${target.store} in ${regions.join(', ')} by digests`,
    apply: async (ctx, target, {regions, accept}) => {
      let found = await world.audit(target.store ?? '', regions, ctx.signal);
      // Rows that are written to all the time may stand still at another look.
      for (let more = AUDITS - 1; more > 0 && isUnsettled(found); more--)
        found = await world.audit(target.store ?? '', regions, ctx.signal);
      const {audit: id, verdict, reason, rows, skipped} = found;
      const not = skipped.length === 0 ? '' : `; not compared: ${skipped.join(', ')}`;
      const says = `audit ${id} says ${verdict}: ${reason.replace(/\.$/, '')}${not}`;
      if (verdict !== 'equal' && !accept) throw refused('audit-not-equal', `${says}; ${whatNext(found)}`);
      world.audited.set(target.store ?? '', regions);
      return {says: verdict === 'equal' ? says : `${says}; passed by name`, verdict, rows, audit: id};
    },
  });

function wasAudited({audited}: PeerWorld, {store = ''}: Target, want: Json): Answer {
  const {regions} = z.object({regions: z.array(z.string())}).parse(want);
  const done = audited.get(store) ?? [];
  const holds = regions.every((region) => done.includes(region));
  return {holds, measured: [...done], says: `${store} was ${holds ? '' : 'not '}audited by this process in ${regions.join(', ')}`};
}

/** So many audits are tried where nothing but rows that never stood still is in the way. */
const AUDITS = 3;

const isUnsettled = ({verdict, unsettled}: Audited): boolean => verdict === 'unknown' && unsettled > 0;

function whatNext(found: Audited): string {
  if (isUnsettled(found)) return 'try again when these are written to less';
  if (found.verdict === 'unknown') return 'nothing is known to be wrong, and nothing is proven';
  return 'see why with "regionctl consistency explain KEY", mend it with "regionctl consistency repair plan", and try again';
}

type Among = {readonly members: readonly string[]; readonly from?: readonly string[]; readonly waitMs: number};

/** Waits until these members have applied what each of them (or only those of `from`) had when this was asked: captured positions, not a pause. */
async function arrived(
  world: PeerWorld,
  ctx: Ctx,
  target: Target,
  {members, from = members, waitMs}: Among,
): Promise<Pick<Answer, 'holds' | 'says'>> {
  const {links} = abilityOf(world, target, 'links');
  const named = members.map((member) => ({member, region: member}));
  const own = async (signal: AbortSignal): Promise<readonly LinkReading[]> =>
    (await links(signal)).filter((link) => link.kind === 'logical' && from.includes(link.from));
  // Where no stream leads nothing is late, and nothing arrives.
  const missing = missingWays(await own(ctx.signal), members).filter(([sender]) => from.includes(sender));
  if (missing.length > 0) return {holds: false, says: missing.map(noStream).join('; ')};
  const job = {audit: abilityOf(world, target, 'audit'), links: own, clock: world.clock, waitMs};
  const settled = await settle(job, named, ctx.signal);
  if (settled.basis === 'none') return {holds: false, says: `no stream of ${target.store} is known between ${members.join(', ')}`};
  if (settled.basis === 'behind') return {holds: false, says: settled.reason.replace(/\.$/, '')};
  return {holds: true, says: `${members.join(', ')} have applied what ${from === members ? 'each of them' : from.join(' and ')} had`};
}

const linking = z.object({members: z.array(z.string()), touching: z.array(z.string())});

async function linked(world: PeerWorld, ctx: Ctx, target: Target, want: Json): Promise<Answer> {
  const {members, touching} = linking.parse(want);
  const links = await abilityOf(world, target, 'links').links(ctx.signal);
  const broken = brokenStreams(links, members, touching);
  const missing = missingWays(links, members).filter((way) => way.some((end) => touching.includes(end)));
  const wrong = [...broken.map((each) => each.replace(/\.$/, '')), ...missing.map(noStream)];
  const says = wrong.length === 0 ? `changes flow between ${members.join(', ')}` : wrong.join('; ');
  return {holds: wrong.length === 0, measured: wrong.length, says};
}

async function anyWell(world: PeerWorld, ctx: Ctx, want: Json): Promise<Answer> {
  const {of} = z.object({of: z.array(z.string())}).parse(want);
  const looks = await Promise.all(
    of.map(async (region) => {
      const cell = await world
        .sampleHealth(region, ctx.signal)
        .catch((error: unknown) => ({known: false as const, reason: messageOf(error)}));
      return {region, well: cell.known && FIT.includes(cell.value.verdict), why: cell.known ? cell.value.reason : cell.reason};
    }),
  );
  const well = looks.filter((look) => look.well).map(({region}) => region);
  if (well.length > 0) return {holds: true, measured: well, says: `${well.join(' and ')} can take traffic`};
  return {holds: false, measured: [], says: `no other region is well: ${looks.map(({region, why}) => `${region} (${why})`).join('; ')}`};
}

const text = (all: Readonly<Record<string, number>>): string =>
  Object.entries(all)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(', ');
