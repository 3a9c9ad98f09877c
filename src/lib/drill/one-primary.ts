import {bounded} from '../awake.ts';
import {messageOf, RegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Clock} from '../ports/clock.ts';
import type {Store} from '../ports/store.ts';
import {type Rival, rivalsOf} from '../snapshot/rivals.ts';
import {type DrillArguments, named} from './arguments.ts';

type Deps = {readonly stores: Readonly<Record<string, Store>>; readonly clock: Clock};
type Wanted = DrillArguments['drill.primaries'];

/** The codes of what this step finds wrong; with any other one it could not look. */
export const WRONG_PRIMARY: ReadonlySet<string> = new Set(['two-primaries', 'primary-moved']);

const READ_MS = 5000;
const AGAIN_MS = 250;

/** One store as it stands. `wrong` null = it is not known whether anything is. */
type Standing = {readonly wrong: boolean | null; readonly code: string; readonly says: string; readonly stale: readonly string[]};

/**
 * `drill.primaries`: sees, once no fault is left, that of each store one member takes writes. A former primary that a failover of regionctl's own has
 * passed by is closed (`close`), as `failover run` closes one that comes back. What others have done is not mended: it is found. Whoever only answers as
 * a primary and can acknowledge nothing, because it is fenced or its standbys have left it, does no harm and is named.
 */
export function onePrimaryAction(deps: Deps): Action<Wanted> {
  return {
    ...named('drill.primaries', 'reversible'),
    describe: (_target, {stores, close}) =>
      `see that one member of ${stores.join(' and of ')} takes writes${close ? ', and close a former primary that came back' : ''}`,
    look: async () => 'before',
    async apply(ctx, _target, args) {
      const until = deps.clock.now() + args.withinMs;
      for (let isLast = false; ; ) {
        const seen = await Promise.all(args.stores.map((store) => standing(deps, ctx, store, args)));
        if (isLast || seen.every(({wrong}) => wrong === false)) return resultOf(seen);
        isLast = deps.clock.now() + AGAIN_MS >= until;
        const closed = args.close ? await closeStale(deps, ctx, args.stores, seen) : [];
        // However late it is found, a former primary is closed, and looked at once more.
        if (closed.length > 0) continue;
        if (isLast) return resultOf(seen);
        await deps.clock.sleep(AGAIN_MS, ctx.signal);
      }
    },
  };
}

function resultOf(seen: readonly Standing[]): Json {
  const wrong = seen.filter((each) => each.wrong === true);
  const [first] = wrong;
  if (first !== undefined) throw new RegionctlError(first.code, EXIT.critical, wrong.map(({says}) => says).join('; '));
  return {met: seen.every((each) => each.wrong === false) ? true : null, says: seen.map(({says}) => says).join('; ')};
}

async function standing(deps: Deps, ctx: Ctx, store: string, {home, former}: Wanted): Promise<Standing> {
  const port = deps.stores[store];
  if (port === undefined) return unsure(`nothing is known of ${store}: it was not opened`);
  const {signal, end} = bounded(ctx.signal, READ_MS);
  try {
    const cells = await port.observe(signal);
    const rivals = await provenOf(port, {...ctx, signal}, rivalsOf({members: cells}));
    const unread = Object.entries(cells).flatMap(([name, cell]) => (cell.known ? [] : [name]));
    const who = former?.[store];
    const silent = await openOf(port, {...ctx, signal}, who === undefined ? unread : unread.filter((name) => name === who));
    return judge(store, {rivals, silent, home: home?.[store] ?? null});
  } catch (error) {
    ctx.signal.throwIfAborted();
    return unsure(`nothing is known of ${store}: ${messageOf(error)}`);
  } finally {
    end();
  }
}

/** Who answers beside another one is asked for a proof that it is fenced. */
function provenOf(port: Store, ctx: Ctx, rivals: readonly Rival[]): Promise<readonly Rival[]> {
  if (rivals.length < 2) return Promise.resolve(rivals);
  return Promise.all(
    rivals.map(async (rival) => {
      const proof = rival.takes === false ? null : await port.abilities.fence?.prove(ctx, rival.member).catch(() => null);
      return proof == null ? rival : {...rival, takes: false, says: `is ${proof.kind}`};
    }),
  );
}

/** Those who do not answer, without whom their hosts say are stopped. */
async function openOf(port: Store, ctx: Ctx, members: readonly string[]): Promise<readonly string[]> {
  const asked = members.map(async (name) => ((await port.abilities.fence?.prove(ctx, name).catch(() => null)) == null ? [name] : []));
  return (await Promise.all(asked)).flat();
}

type Seen = {
  readonly rivals: readonly Rival[];
  /** Members that do not answer, and of which nothing is proven. */
  readonly silent: readonly string[];
  /** The region where the primary must be; null = wherever. */
  readonly home: string | null;
};

function judge(store: string, {rivals, silent, home}: Seen): Standing {
  const taking = rivals.filter(({takes}) => takes === true);
  if (taking.length > 1) return twoPrimaries(store, taking);
  const one = taking[0] ?? (rivals.length === 1 ? rivals[0] : undefined);
  if (one !== undefined && home !== null && one.region !== home) return moved(store, one, home);
  const doubt = rivals.length < 2 ? undefined : rivals.find(({takes}) => takes === null);
  if (doubt !== undefined) return unsure(`whether ${doubt.member} of ${store} takes writes is not known: it ${doubt.says}`);
  // Also after a failover of our own: who is still starting may open unfenced in a moment.
  if (silent.length > 0)
    return unsure(`${silent.join(', ')} does not answer, so it is not known whether it is a primary of ${store} as well`);
  if (one === undefined && home !== null) return unsure(`no primary of ${store} is seen`);
  const inert = rivals.filter((rival) => rival !== one).map(({member, says}) => `; ${member} answers as a primary too, and ${says}`);
  const says = one === undefined ? `no member of ${store} takes writes` : `no other member of ${store} than ${one.member} takes writes`;
  return {wrong: false, code: 'ok', says: `${says}${inert.join('')}`, stale: []};
}

function moved(store: string, {member, region}: Rival, home: string): Standing {
  const says = `the primary of ${store} is ${member} in ${region}: nobody was to be promoted, and it was in ${home}`;
  return {wrong: true, code: 'primary-moved', says, stale: []};
}

/** The gravest: both acknowledge what the other one will never have. */
function twoPrimaries(store: string, taking: readonly Rival[]): Standing {
  const stale = staleOf(taking);
  const names = taking.map(({member, says}) => `${member} ${says}`).join(', and ');
  const hint =
    stale.length === 0
      ? 'close one of them by hand'
      : `close ${stale.join(' and ')}, which ${stale.length === 1 ? 'was' : 'were'} passed by: fence it, or let \`regionctl failback run\` bring it back`;
  return {wrong: true, code: 'two-primaries', says: `${store} has two primaries: ${names}; ${hint}`, stale};
}

const staleOf = (rivals: readonly Rival[]): readonly string[] => rivals.flatMap(({member, stale}) => (stale ? [member] : []));

function unsure(says: string): Standing {
  return {wrong: null, code: 'unknown', says, stale: []};
}

/** Answers who was closed. What cannot be closed now is tried again at the next look. */
async function closeStale({stores}: Deps, ctx: Ctx, names: readonly string[], seen: readonly Standing[]): Promise<readonly string[]> {
  const closed = seen.flatMap(({stale}, index) =>
    stale.map(async (member) => {
      const port = stores[names[index] ?? ''];
      if (port === undefined) return [];
      await underClaim(port, ctx, () => port.abilities.fence?.fence(ctx, member, {keepRunning: true}));
      return [member];
    }),
  );
  return (await Promise.all(closed.map((each) => each.catch(() => [])))).flat();
}

/** Under the claim that the run has, or one that is taken where nobody has any, and given back. */
async function underClaim(port: Store, ctx: Ctx, work: () => Promise<unknown> | undefined): Promise<void> {
  const {claim} = port.abilities;
  if (claim === undefined || (await claim.held(ctx))) {
    await work();
    return;
  }
  await claim.claim(ctx);
  try {
    await work();
  } finally {
    await claim.release(ctx);
  }
}
