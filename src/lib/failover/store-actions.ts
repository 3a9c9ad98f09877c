import {z} from 'zod';
import {isRegionctlError, refused} from '../errors.ts';
import type {Action, Answer, Ctx, Standing} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Store} from '../ports/store.ts';
import {bytesBetween, comparePositions, type Position} from '../snapshot/position.ts';
import type {Member} from '../snapshot/snapshot.ts';
import {type FenceArguments, fenceArguments, makeProof, proofJson} from './proofs.ts';
import {abilityOf, hasReplayed, memberOf, readMember, readMembers, type StoreWorld, storeFor} from './store-world.ts';

/** How old the proof may be when the promotion takes effect: a process that slept in between promotes nothing. */
const PROMOTE_WINDOW_MS = 1000;
const POLL_MS = 10;

const none = z.object({});
/** `ready`: also wait until the second path to every member is open, as long as nobody waits yet. `evict`: from whoever has it. */
const claiming = z.object({members: z.array(z.string()).min(1), ready: z.boolean().default(false), evict: z.boolean().default(false)});
const members = z.object({members: z.array(z.string())});
const unseal = z.object({members: z.array(z.string()), upstream: z.string()});
const among = z.object({among: z.array(z.string())});
/** `back`: it is set to what it was before the run, which takes the claim like all that is taken back. */
const rule = z.object({need: z.number().int().min(0), of: z.array(z.string()), back: z.boolean().default(false)});
/** `mark`: what it holds is kept, to count from what the old primary may acknowledge alone after it. */
const promotion = z.object({epoch: z.number().int(), mark: z.boolean().default(true)});
const promoted = z.object({position: z.object({epoch: z.number().int()})});
const upstream = z.object({upstream: z.string()});
const rejoin = z.object({upstream: z.string(), how: z.enum(['follow', 'rewind', 'rebuild', 'auto'])});
const lifting = z.object({when: z.enum(['undo', 'following'])});

/** The actions on stores that every failover, failback and drill is made of. */
export function storeActions(world: StoreWorld): readonly Action[] {
  return [
    claim(world),
    release(world),
    seal(world),
    unsealing(world),
    writeOut(world),
    fence(world),
    unfence(world),
    catchUp(world),
    durability(world),
    promote(world),
    rejoining(world),
    awaitCaughtUp(world),
  ];
}

type Parts<S extends z.ZodType> = {
  readonly name: string;
  readonly effect: Action['effect'];
  readonly schema: S;
  describe(target: Target, args: z.infer<S>): string;
  look?(ctx: Ctx, target: Target, args: z.infer<S>): Promise<Standing>;
  still?(ctx: Ctx, target: Target, args: z.infer<S>, result: Json): Promise<Answer>;
  apply(ctx: Ctx, target: Target, args: z.infer<S>): Promise<Json>;
};

/** Fills in what most actions share: version 1, arguments by schema, and a look that leaves the decision to the step's `ensures`. */
export function action<S extends z.ZodType>({schema, look, ...parts}: Parts<S>): Action {
  return {v: 1, parse: (args: Json) => schema.parse(args) as Json, look: look ?? (async () => 'before'), ...parts} as Action;
}

const claim = (world: StoreWorld) =>
  action({
    name: 'store.claim',
    effect: 'reversible',
    schema: claiming,
    describe: (target, args) =>
      `take the advisory lock of regionctl for ${target.store} on ${args.members.join(', ')}${args.evict ? ', ending the session of whoever has it' : ''}`,
    apply: async (ctx, target, args) => {
      // The second path is opened now, so that a promotion need not wait for its logins while traffic is held. Who does not answer is asked again then.
      const opened = world
        .independent(storeFor(world, target).name)
        .then((store) => store.observe(ctx.signal, args.members))
        .catch(() => null);
      if (args.ready) await opened;
      const {claim, evict, ready} = abilityOf(world, target, 'claim');
      const claimed = await (args.evict && mayEvict(world, target) ? evict : claim)(ctx, args.members);
      if (args.ready) await ready?.(claimed);
      return {claimed: [...claimed]};
    },
  });

/** Once, when the run begins: whoever has come since is not the one that was meant. */
function mayEvict({spared, evicted}: StoreWorld, {store = ''}: Target): boolean {
  const may = spared !== null && !evicted.has(store);
  evicted.add(store);
  return may;
}

const release = (world: StoreWorld) =>
  action({
    name: 'store.release',
    effect: 'none',
    schema: none,
    describe: (target) => `release the advisory lock on ${target.store}`,
    apply: async (ctx, target) => {
      await abilityOf(world, target, 'claim').release(ctx);
      return null;
    },
  });

const seal = (world: StoreWorld) =>
  action({
    name: 'store.seal',
    effect: 'reversible',
    schema: members,
    describe: (_target, args) => `set primary_conninfo = '' on ${args.members.join(', ')} and reload, until no receiver is left`,
    apply: async (ctx, target, args) => ({positions: {...(await abilityOf(world, target, 'seal').seal(ctx, args.members))}}),
  });

/** Whatever loosens a store must be ours to loosen: another operator may have claimed it since, and promotes while we take our fence back. */
async function demandClaim(world: StoreWorld, ctx: Ctx, target: Target): Promise<void> {
  const {claim} = storeFor(world, target).store.abilities;
  if (claim !== undefined && !(await claim.held(ctx)))
    throw refused('not-claimed', `${target.store} is not claimed by this run any more: nothing was taken back`);
}

const unsealing = (world: StoreWorld) =>
  action({
    name: 'store.unseal',
    effect: 'reversible',
    schema: unseal,
    describe: (_target, args) => `let ${args.members.join(', ')} follow ${args.upstream} again`,
    apply: async (ctx, target, args) => {
      await demandClaim(world, ctx, target);
      const {point, follow} = abilityOf(world, target, 'follow');
      const upstream = (await storeFor(world, target).store.observe(ctx.signal, [args.upstream]))[args.upstream];
      // A primary that is gone cannot be followed before it comes back; what can be put back now is where they look for it.
      const all = await Promise.allSettled(args.members.map((member) => (upstream?.known ? follow : point)(ctx, member, args.upstream)));
      // Only when nothing is under way any more: once this has failed on the record, nobody may still act.
      for (const each of all) if (each.status === 'rejected') throw each.reason;
      return null;
    },
  });

const writeOut = (world: StoreWorld) =>
  action({
    name: 'store.write-out',
    effect: 'none',
    schema: none,
    describe: (target) => `checkpoint on ${target.member}`,
    apply: async (ctx, target) => {
      const member = memberOf(target);
      const done = (await abilityOf(world, target, 'fence').writeOut?.(ctx, member)) ?? true;
      return {
        says: done
          ? `${member} has written out what it held in memory`
          : `${member} could not be made to write it out beforehand: its stop may take longer`,
      };
    },
  });

const fence = (world: StoreWorld) =>
  action({
    name: 'store.fence',
    effect: 'reversible',
    schema: fenceArguments,
    describe: (target, args) => `fence ${target.member}: ${args.accept.join(', ')}, the first that can be proven`,
    apply: async (ctx, target, args: FenceArguments) => {
      const proof = await makeProof(world, ctx, target, args);
      // Where a seal is accepted it was made before: what the primary wrote since cannot arrive any more, and nobody acknowledged it.
      if (!args.accept.includes('sealed')) await awaitShipped(world, ctx, target, proof.position, args);
      return proofJson(proof);
    },
  });

/** A planned stop loses nothing only if every standby holds what the primary ended with. */
async function awaitShipped(
  world: StoreWorld,
  ctx: Ctx,
  target: Target,
  end: Position | undefined,
  {standbys, need}: FenceArguments,
): Promise<void> {
  const {store} = storeFor(world, target);
  if (standbys.length === 0) return;
  if (end === undefined) {
    // Under a quorum the most advanced standby has all of it; without one, only the primary's own end could tell.
    if (need > 0) return;
    throw refused(
      'end-unknown',
      `${target.member} is stopped, but where it ended could not be read: asynchronous writes may be missing on every standby`,
    );
  }
  await until(world, ctx, `the standbys do not hold what ${target.member} ended with`, async () => {
    const seen = await readMembers(store, standbys, ctx);
    return seen.some(({member}) => (comparePositions(member.durable, end) ?? -1) >= 0);
  });
}

const unfence = (world: StoreWorld) =>
  action({
    name: 'store.unfence',
    effect: 'reversible',
    schema: lifting,
    describe: (target) => `put back the access rules of ${target.member}`,
    look: async (_ctx, target, args) => (args.when === 'undo' && world.spared?.has(memberOf(target)) ? 'done' : 'before'),
    apply: async (ctx, target, args) => {
      await demandClaim(world, ctx, target);
      await abilityOf(world, target, 'fence').lift(ctx, memberOf(target), args.when);
      return null;
    },
  });

const catchUp = (world: StoreWorld) =>
  action({
    name: 'store.catch-up',
    effect: 'reversible',
    schema: among,
    describe: (target, args) => `let ${target.member} take what it lacks from the most advanced of ${args.among.join(', ')}`,
    apply: async (ctx, target, args) => {
      const {store} = storeFor(world, target);
      const member = memberOf(target);
      const own = await readMember(store, member, ctx);
      const best = mostAdvanced(await readMembers(store, args.among, ctx));
      if (best === null || (comparePositions(own.durable, best.member.durable) ?? -1) >= 0) {
        await awaitReplay(world, ctx, store, member);
        return {from: null, bytes: 0};
      }
      await abilityOf(world, target, 'follow').follow(ctx, member, best.name);
      await until(world, ctx, `${member} did not reach the position of ${best.name}`, async () => {
        const now = await readMember(store, member, ctx);
        return (comparePositions(now.durable, best.member.durable) ?? -1) >= 0;
      });
      await abilityOf(world, target, 'seal').seal(ctx, [member]);
      await awaitReplay(world, ctx, store, member);
      return {from: best.name, bytes: bytesBetween(own.durable, best.member.durable)};
    },
  });

/** A promotion replays what is left before it takes a write, so the wait costs nothing, and before the pivot a stuck replay can still be undone. */
async function awaitReplay(world: StoreWorld, ctx: Ctx, store: Store, member: string): Promise<void> {
  await until(world, ctx, `${member} did not replay what it holds`, async () => {
    return hasReplayed(await readMember(store, member, ctx));
  });
}

const durability = (world: StoreWorld) =>
  action({
    name: 'store.durability',
    effect: 'reversible',
    schema: rule,
    describe: (target, args) =>
      `set who must acknowledge on ${target.member}: ${args.need === 0 ? 'nobody' : `any ${args.need} of ${args.of.join(', ')}`}`,
    apply: async (ctx, target, {back, ...args}) => {
      if (back) await demandClaim(world, ctx, target);
      await abilityOf(world, target, 'durability').set(ctx, memberOf(target), args);
      return null;
    },
  });

const promote = (world: StoreWorld) =>
  action({
    name: 'store.promote',
    effect: 'irreversible',
    schema: promotion,
    describe: (target) => `promote ${target.member}, in one statement that checks timeline, claim and deadline`,
    still: (ctx, target, _args, result) => {
      recallMark(world, target, result);
      return stillPrimary(world, ctx, target, result);
    },
    look: (ctx, target, {epoch}) => lookAtPromotion(world, ctx, target, epoch),
    apply: async (ctx, target, args) => {
      const {store} = storeFor(world, target);
      const member = memberOf(target);
      const [now, mark] = await Promise.all([readMember(store, member, ctx), args.mark ? keepMark(world, ctx, target) : null]);
      if (now.durable.epoch !== args.epoch)
        throw refused('timeline-changed', `${member} is on timeline ${now.durable.epoch}, the plan was made for ${args.epoch}`);
      const provenAt = world.provenAt.get(target.store ?? '');
      if (provenAt === undefined)
        throw refused('no-proof', `nothing proves in this process that the old primary of ${target.store} cannot write`);
      const position = await abilityOf(world, target, 'promote').promote(ctx, member, {
        from: now.durable,
        until: provenAt + PROMOTE_WINDOW_MS,
      });
      return {position: {...position}, ...(mark === null ? {} : {mark})};
    },
  });

/** Where a member stands that is to become the primary after timeline `epoch`. */
export async function lookAtPromotion(world: StoreWorld, ctx: Ctx, target: Target, epoch: number): Promise<Standing> {
  const cell = (await storeFor(world, target).store.observe(ctx.signal, [memberOf(target)]))[memberOf(target)];
  if (cell === undefined || !cell.known) return 'unknown';
  if (cell.value.role === 'primary') return cell.value.durable.epoch > epoch ? 'done' : 'elsewhere';
  return cell.value.durable.epoch === epoch ? 'before' : 'elsewhere';
}

/** What the target holds, to count from if the old primary turns out to have gone on; null = unknown. It must not hold up or stop the promotion. */
async function keepMark(world: StoreWorld, ctx: Ctx, target: Target): Promise<Json> {
  const {name, store} = storeFor(world, target);
  const mark = await store.abilities.loss?.mark?.(memberOf(target), ctx.signal).catch(() => null);
  if (mark == null) return null;
  world.marks.set(name, mark);
  return mark;
}

/** A run that is taken up again counts from what its former process kept. */
function recallMark(world: StoreWorld, target: Target, result: Json): void {
  const kept = z.object({mark: z.json()}).safeParse(result);
  if (kept.success) world.marks.set(storeFor(world, target).name, kept.data.mark as Json);
}

/** The primary that a run made is still that, on the timeline that it made. */
export async function stillPrimary(world: StoreWorld, ctx: Ctx, target: Target, result: Json): Promise<Answer> {
  const member = memberOf(target);
  const made = promoted.safeParse(result);
  const cell = (await storeFor(world, target).store.observe(ctx.signal, [member]))[member];
  if (cell?.known !== true || !made.success) return {holds: null, measured: null, says: `${member} could not be asked`};
  const {role, durable} = cell.value;
  const epoch = made.data.position.epoch;
  const holds = role === 'primary' && durable.epoch === epoch;
  return {
    holds,
    measured: {role, epoch: durable.epoch},
    says: `${member} is ${role} on timeline ${durable.epoch}${holds ? '' : `, this run had made it the primary on timeline ${epoch}`}`,
  };
}

const rejoining = (world: StoreWorld) =>
  action({
    name: 'store.rejoin',
    effect: 'irreversible',
    schema: rejoin,
    describe: (target, args) => `bring ${target.member} back under ${args.upstream} (${WAYS_BACK[args.how].join(', else ')})`,
    apply: async (ctx, target, args) => {
      const {rejoin: join} = abilityOf(world, target, 'rejoin');
      // What was closed and went on running has written to its log since: it cannot follow as it is.
      const ways = WAYS_BACK[args.how].filter((how) => how !== 'follow' || world.proofs.get(memberOf(target))?.kind !== 'closed');
      const reasons: string[] = [];
      for (const how of ways) {
        try {
          return {how, why: reasons.join('; ') || null, ...(await join(ctx, memberOf(target), how, args.upstream))};
        } catch (error) {
          if (how === ways.at(-1) || !isRegionctlError(error) || !TRY_THE_NEXT.has(error.code)) throw error;
          reasons.push(error.message);
        }
      }
      throw refused('cannot-rejoin', reasons.join('; '));
    },
  });

/** What is tried in which order: the cheaper way first, and the next one only when the member's data does not allow it. */
const WAYS_BACK = {
  follow: ['follow'],
  rewind: ['rewind', 'rebuild'],
  rebuild: ['rebuild'],
  auto: ['follow', 'rewind', 'rebuild'],
} as const;
const TRY_THE_NEXT: ReadonlySet<string> = new Set(['cannot-follow', 'cannot-rewind']);

const awaitCaughtUp = (world: StoreWorld) =>
  action({
    name: 'store.await-caught-up',
    effect: 'none',
    schema: upstream,
    describe: (target, args) => `wait until ${target.member} has replayed the position that ${args.upstream} has now`,
    apply: async (ctx, target, args) => {
      const {store} = storeFor(world, target);
      const goal = (await readMember(store, args.upstream, ctx)).durable;
      await until(world, ctx, `${target.member} did not catch up`, async () => {
        const now = await readMember(store, memberOf(target), ctx);
        return (comparePositions(now.applied, goal) ?? -1) >= 0;
      });
      return {position: {...goal}};
    },
  });

/** The member with the highest (timeline, position): what a promotion must not fall behind. */
export function mostAdvanced(seen: readonly {name: string; member: Member}[]): {name: string; member: Member} | null {
  return seen.reduce<{name: string; member: Member} | null>(
    (best, each) => (best === null || (comparePositions(each.member.durable, best.member.durable) ?? 0) > 0 ? each : best),
    null,
  );
}

/** Asks every few ms until it holds; refuses with `otherwise` at the deadline. */
export async function until(world: StoreWorld, ctx: Ctx, otherwise: string, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (ctx.now() >= ctx.deadline) throw refused('deadline', `${otherwise} within its deadline`);
    await world.clock.sleep(POLL_MS, ctx.signal);
  }
}
