import {isDeepStrictEqual} from 'node:util';
import {z} from 'zod';
import {formatBytes, formatMs} from '../output/units.ts';
import type {Answer, Check, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Store} from '../ports/store.ts';
import {comparePositions} from '../snapshot/position.ts';
import {fenceArguments, findProof, proofJson} from './proofs.ts';
import {mostAdvanced} from './store-actions.ts';
import {abilityOf, hasReplayed, memberOf, readMember, readMembers, type StoreWorld, storeFor, withFix} from './store-world.ts';

const membersWanted = z.object({members: z.array(z.string())});
/** `replayed`: it must also have applied what it holds, so that a promotion has nothing left to replay. */
const amongWanted = z.object({among: z.array(z.string()), replayed: z.boolean().default(false)});
const silentWanted = z.object({standbys: z.array(z.string())});
/** How long a standby that still has a connection is listened to: a primary under load is heard every few ms. */
const LISTEN_MS = 100;
const ruleWanted = z.object({need: z.number(), of: z.array(z.string())});
const rejoinWanted = z.object({bytesPerSecond: z.number().positive().nullable().default(null)});
/** `members`: only these are asked; absent = all. */
const clocksWanted = z.object({mostMs: z.number(), members: z.array(z.string()).optional()});
const unclaimedWanted = z.object({members: z.array(z.string())});
const unmovedWanted = z.object({primary: z.string(), epoch: z.number().int()});
/** `without`: members that are not asked, because somebody went past the gate that they answer. */
const exceptWanted = z.object({except: z.string(), without: z.array(z.string()).default([])});

/** The questions about stores that plans ask by name. None of them writes. */
export function storeChecks(world: StoreWorld): readonly Check[] {
  return [
    {
      name: 'store.claimed',
      ask: async (ctx, target) =>
        told(
          await abilityOf(world, target, 'claim').held(ctx),
          `${target.store} is claimed by this run`,
          `${target.store} is not claimed by this run`,
        ),
    },
    {name: 'store.unclaimed', ask: (ctx, target, want) => unclaimed(world, ctx, target, unclaimedWanted.parse(want).members)},
    {name: 'store.sealed', ask: (ctx, target, want) => sealed(world, ctx, target, membersWanted.parse(want).members)},
    {name: 'store.fenced', ask: (ctx, target, want) => fenced(world, ctx, target, want)},
    {name: 'store.fenceable', ask: (ctx, target, want) => fenceable(world, ctx, target, want)},
    {name: 'store.silent', ask: (ctx, target, want) => silent(world, ctx, target, silentWanted.parse(want))},
    {name: 'store.most-advanced', ask: (ctx, target, want) => leads(world, ctx, target, amongWanted.parse(want))},
    {name: 'store.durability', ask: (ctx, target, want) => durability(world, ctx, target, ruleWanted.parse(want))},
    {name: 'store.primary', ask: (ctx, target, want, via) => primary(world, ctx, target, String(want), via)},
    {name: 'store.no-other-primary', ask: (ctx, target, want) => noOther(world, ctx, target, exceptWanted.parse(want))},
    {name: 'store.following', ask: (ctx, target, want) => following(world, ctx, target, String(want))},
    {
      name: 'store.open',
      ask: async (ctx, target) =>
        told(
          await abilityOf(world, target, 'fence').open(ctx, memberOf(target)),
          `${target.member} takes sessions`,
          `${target.member} is fenced`,
        ),
    },
    {name: 'store.settings', ask: (ctx, target) => settings(world, ctx, target)},
    {name: 'store.clocks', ask: (ctx, target, want) => clocks(world, ctx, target, clocksWanted.parse(want))},
    {name: 'store.unmoved', ask: (ctx, target, want) => unmoved(world, ctx, target, unmovedWanted.parse(want))},
    {name: 'store.can-return', ask: (ctx, target) => canReturn(world, ctx, target)},
    {name: 'store.can-rejoin', ask: (ctx, target, want) => canRejoin(world, ctx, target, rejoinWanted.parse(want))},
  ];
}

function told(holds: boolean | null, yes: string, no: string, measured: Json = holds): Answer {
  return {holds, measured, says: holds === true ? yes : no};
}

/** Nobody else acts on the store now, as far as the members that are asked can tell. */
async function unclaimed(world: StoreWorld, ctx: Ctx, target: Target, members: readonly string[]): Promise<Answer> {
  const {claim} = storeFor(world, target).store.abilities;
  const holders = claim === undefined ? {} : await claim.holders(ctx, members);
  const held = Object.entries(holders).find(([, holder]) => holder !== null);
  if (held !== undefined)
    return {holds: false, measured: {member: held[0], holder: held[1]}, says: `${target.store} is claimed on ${held[0]} by ${held[1]}`};
  if (claim !== undefined && Object.keys(holders).length === 0)
    return {holds: null, measured: null, says: `no member of ${target.store} tells whether somebody has claimed it`};
  return {holds: true, measured: null, says: `nobody else has claimed ${target.store}`};
}

async function sealed(world: StoreWorld, ctx: Ctx, target: Target, members: readonly string[]): Promise<Answer> {
  const cells = await abilityOf(world, target, 'seal').sealed(ctx, members);
  const silentOnes = members.filter((name) => cells[name]?.known !== true);
  const attached = members.filter((name) => {
    const cell = cells[name];
    return cell?.known === true && !cell.value;
  });
  if (attached.length > 0) return {holds: false, measured: attached, says: `${attached.join(', ')} has not let go of its upstream`};
  if (silentOnes.length > 0)
    return {holds: null, measured: silentOnes, says: `${silentOnes.join(', ')} does not answer, so it is not known to be sealed`};
  return {holds: true, measured: [...members], says: `${members.join(', ')} let go of their upstream`};
}

async function fenced(world: StoreWorld, ctx: Ctx, target: Target, want: Json): Promise<Answer> {
  const args = fenceArguments.parse(want);
  const proof = await findProof(world, ctx, target, args);
  if (proof !== null)
    return {
      holds: true,
      measured: proofJson(proof),
      says: `${target.member} is ${proof.kind}${proof.leaks.length === 0 ? '' : ` (leaks: ${proof.leaks.join(', ')})`}`,
    };
  const glass = args.accept.includes('break-glass');
  // Broken by name: there is nothing to prove, and nothing that could grow old.
  if (glass) world.provenAt.set(target.store ?? '', ctx.now());
  return {
    holds: glass,
    measured: null,
    says: glass
      ? `nobody proved that ${target.member} stopped; the guard was broken by name`
      : `nothing proves that ${target.member} cannot acknowledge writes`,
  };
}

async function fenceable(world: StoreWorld, ctx: Ctx, target: Target, want: Json): Promise<Answer> {
  const args = fenceArguments.omit({accept: true}).parse(want);
  const member = memberOf(target);
  if (args.need > 0 && args.standbys.length >= args.need) {
    return {
      holds: true,
      measured: 'sealed',
      says: `${member} can be sealed out: ${args.need} of ${args.others} standbys must let go and ${args.standbys.length} answer`,
    };
  }
  const proof = await abilityOf(world, target, 'fence').prove(ctx, member);
  if (proof !== null) return {holds: true, measured: proof.kind, says: `${member} is ${proof.kind} already`};
  const {store, spec} = storeFor(world, target);
  const cell = (await store.observe(ctx.signal, [member]))[member];
  // Around a manager nothing is closed.
  if (store.manager !== undefined && spec.fenceHook === null) {
    const says = `nothing proves yet that ${member} cannot acknowledge writes: that ${store.manager} would promote nobody before its leader key runs out is no proof`;
    return {holds: false, measured: null, says};
  }
  if (cell?.known) return {holds: true, measured: 'closed', says: `${member} answers and can be closed`};
  const {fenceHook} = spec;
  if (fenceHook !== null) return {holds: true, measured: 'hook', says: `${member} can be fenced by the hook ${fenceHook}`};
  return {
    holds: false,
    measured: null,
    says: `${member} does not answer (${cell?.reason ?? 'unknown'}), its host does not say that it stopped, and its writes need no quorum: it may still acknowledge writes`,
  };
}

/** A fresh message proves that the primary lives; silence proves nothing, it only does not speak against the verdict. */
async function silent(world: StoreWorld, ctx: Ctx, target: Target, want: z.infer<typeof silentWanted>): Promise<Answer> {
  const {store} = storeFor(world, target);
  const startedAt = world.clock.now();
  const seen = await readMembers(store, want.standbys, ctx);
  const missing = want.standbys.filter((name) => !seen.some((each) => each.name === name));
  if (missing.length > 0)
    return {
      holds: null,
      measured: missing,
      says: `${missing.join(', ')} does not answer, so it is not known whether it hears ${target.member}`,
    };
  const connected = seen.filter(({member}) => member.heardUpstreamAgoMs !== null).map(({name}) => name);
  if (connected.length === 0)
    return {holds: true, measured: null, says: `no standby of ${want.standbys.join(', ')} has a connection to ${target.member}`};
  await world.clock.sleep(LISTEN_MS, ctx.signal);
  const again = await readMembers(store, connected, ctx);
  const elapsedMs = Math.round(world.clock.now() - startedAt);
  const alive = again.find(({member}) => member.heardUpstreamAgoMs !== null && member.heardUpstreamAgoMs < elapsedMs);
  if (alive === undefined)
    return {holds: true, measured: null, says: `${connected.join(', ')} heard nothing from ${target.member} for ${elapsedMs} ms`};
  const agoMs = Math.round(alive.member.heardUpstreamAgoMs ?? 0);
  return {holds: false, measured: agoMs, says: `${alive.name} heard ${target.member} ${agoMs} ms ago: it is alive`};
}

async function leads(world: StoreWorld, ctx: Ctx, target: Target, {among, replayed}: z.infer<typeof amongWanted>): Promise<Answer> {
  const {store} = storeFor(world, target);
  const seen = await readMembers(store, among, ctx);
  const own = seen.find(({name}) => name === target.member) ?? {
    name: memberOf(target),
    member: await readMember(store, memberOf(target), ctx),
  };
  const missing = among.filter((name) => !seen.some((each) => each.name === name));
  if (missing.length > 0)
    return {holds: null, measured: missing, says: `${missing.join(', ')} does not answer, so it may be ahead of ${own.name}`};
  const best = mostAdvanced(seen);
  const behind = best !== null && (comparePositions(own.member.durable, best.member.durable) ?? -1) < 0;
  const measured = {epoch: own.member.durable.epoch, offset: own.member.durable.offset};
  if (!behind && replayed && !hasReplayed(own.member))
    return {holds: false, measured, says: `${own.name} has not replayed all that it holds`};
  return told(
    !behind,
    `${own.name} is at the most advanced position (timeline ${measured.epoch}, ${measured.offset})`,
    `${best?.name} is ahead of ${own.name}`,
    measured,
  );
}

async function durability(world: StoreWorld, ctx: Ctx, target: Target, want: z.infer<typeof ruleWanted>): Promise<Answer> {
  const rule = await abilityOf(world, target, 'durability').read(ctx, memberOf(target));
  const same = rule.need === want.need && (want.need === 0 || isDeepStrictEqual([...rule.of].sort(), [...want.of].sort()));
  const text = rule.need === 0 ? 'alone' : `with any ${rule.need} of ${rule.of.join(', ')}`;
  return told(same, `${target.member} acknowledges ${text}`, `${target.member} acknowledges ${text}, which is not what the plan wants`, {
    need: rule.need,
    of: [...rule.of],
  });
}

async function primary(world: StoreWorld, ctx: Ctx, target: Target, want: string, via: 'any' | 'independent'): Promise<Answer> {
  const {name, store} = storeFor(world, target);
  const asked: Store = via === 'independent' ? await world.independent(name) : store;
  const cell = (await asked.observe(ctx.signal, [want]))[want];
  if (cell === undefined || !cell.known)
    return {holds: null, measured: null, says: `${want} does not answer: ${cell?.reason ?? 'unknown'}`};
  const {role, writable, durable} = cell.value;
  return told(
    role === 'primary' && writable,
    `${want} is the primary (timeline ${durable.epoch})`,
    `${want} is ${role}${writable ? '' : ', read-only'}`,
    {role, writable, epoch: durable.epoch},
  );
}

async function noOther(world: StoreWorld, ctx: Ctx, target: Target, {except, without}: z.infer<typeof exceptWanted>): Promise<Answer> {
  const {store, spec} = storeFor(world, target);
  const others = spec.members.filter(({name, region}) => region !== except && !without.includes(name)).map(({name}) => name);
  const seen = await readMembers(store, others, ctx);
  const found = seen.filter(({member}) => member.role === 'primary').map(({name}) => name);
  const missing = others.filter((name) => !seen.some((each) => each.name === name));
  if (found.length === 0 && missing.length > 0)
    return {holds: null, measured: missing, says: `${missing.join(', ')} does not answer, so it is not known that it is no primary`};
  return told(found.length === 0, `no member outside ${except} is a primary`, `${found.join(', ')} is a primary already`, found);
}

async function settings(world: StoreWorld, ctx: Ctx, target: Target): Promise<Answer> {
  const {inspect} = storeFor(world, target).store.abilities;
  const member = memberOf(target);
  if (inspect === undefined) return {holds: true, measured: null, says: `the engine of ${target.store} has no settings to look at`};
  const findings = (await inspect.inspect(ctx.signal, [member])).filter((finding) => finding.member === member);
  const wrong = findings.filter(({verdict}) => verdict === 'error');
  const unread = findings.filter(({verdict}) => verdict === 'unknown');
  const [first] = [...wrong, ...unread];
  return {
    holds: wrong.length > 0 ? false : unread.length > 0 || findings.length === 0 ? null : true,
    measured: wrong.map(({says}) => says),
    says: first === undefined ? `${member} is set up to be the primary` : `${member}: ${withFix(first)}`,
  };
}

async function clocks(world: StoreWorld, ctx: Ctx, target: Target, {mostMs, members}: z.infer<typeof clocksWanted>): Promise<Answer> {
  const {clock} = storeFor(world, target).store.abilities;
  if (clock === undefined) return {holds: true, measured: null, says: `the engine of ${target.store} has no clocks to compare`};
  const offsets = Object.entries(await clock.offsets(ctx.signal, members)).flatMap(([name, ms]) => (ms === null ? [] : [{name, ms}]));
  const worst = offsets.toSorted((a, b) => Math.abs(b.ms) - Math.abs(a.ms))[0];
  if (worst === undefined) return {holds: null, measured: null, says: `no member of ${target.store} told its time`};
  const measured = Object.fromEntries(offsets.map(({name, ms}) => [name, Math.round(ms)]));
  const apart = `${formatMs(Math.abs(worst.ms))} ${worst.ms < 0 ? 'behind' : 'ahead of'} this machine`;
  const holds = Math.abs(worst.ms) <= mostMs;
  return {holds, measured, says: holds ? `clocks agree: ${worst.name} is ${apart}` : `the clock of ${worst.name} is ${apart}`};
}

/**
 * No other hand has promoted anything: nobody who answers is on a later timeline, or is a primary beside the known one on its timeline. The known
 * one is asked only when nobody else answers: were it later itself, the others would follow it there, and it may be what everybody waits for.
 */
async function unmoved(world: StoreWorld, ctx: Ctx, target: Target, want: z.infer<typeof unmovedWanted>): Promise<Answer> {
  const {store, spec} = storeFor(world, target);
  const names = spec.members.map(({name}) => name).filter((name) => name !== want.primary);
  const others = await readMembers(store, names, ctx);
  const seen = others.length > 0 ? others : await readMembers(store, [want.primary], ctx);
  const later = seen.find(({member}) => member.durable.epoch > want.epoch);
  const rival = seen.find(({name, member}) => member.role === 'primary' && name !== want.primary && member.durable.epoch === want.epoch);
  const other = later ?? rival;
  if (seen.length === 0) return {holds: null, measured: null, says: `no member of ${spec.name} answers`};
  if (other === undefined)
    return {holds: true, measured: null, says: `${want.primary} is the last primary of ${spec.name}, on timeline ${want.epoch}`};
  const {role, durable} = other.member;
  const says = `${other.name} is ${role} on timeline ${durable.epoch}; the plan was made for ${want.primary} on timeline ${want.epoch}`;
  return {holds: false, measured: {member: other.name, role, epoch: durable.epoch}, says};
}

async function following(world: StoreWorld, ctx: Ctx, target: Target, want: string): Promise<Answer> {
  const upstream = await abilityOf(world, target, 'follow').following(ctx, memberOf(target));
  // One whose log went another way streams for a moment each time that it calls.
  const seen = upstream === want ? await readMembers(storeFor(world, target).store, [memberOf(target), want], ctx) : [];
  const own = seen.find(({name}) => name === target.member)?.member;
  if (own?.diverged === true)
    return {holds: false, measured: upstream, says: `${target.member} hears ${want}, but its log went another way`};
  if (own?.heardUpstreamAgoMs === null) return {holds: false, measured: null, says: `${target.member} streams from nobody`};
  return told(
    upstream === want,
    `${target.member} streams from ${want}`,
    `${target.member} ${upstream === null ? 'streams from nobody' : `streams from ${upstream}`}`,
    upstream,
  );
}

/** Whether a primary that is about to be fenced can follow the next one. */
async function canReturn(world: StoreWorld, ctx: Ctx, target: Target): Promise<Answer> {
  const member = memberOf(target);
  const can = (await storeFor(world, target).store.abilities.rejoin?.returns?.(member, ctx.signal)) ?? true;
  return told(
    can,
    `${member} can come back as a standby`,
    `${member} cannot come back as a standby: its host does not answer, or has no way to start it as one`,
  );
}

/** How long a copy takes depends on disks and lines that nobody has measured before the first one. */
const ASSUMED_BYTES_PER_SECOND = 50 * 1024 * 1024;

async function canRejoin(world: StoreWorld, ctx: Ctx, target: Target, {bytesPerSecond}: z.infer<typeof rejoinWanted>): Promise<Answer> {
  const options = await abilityOf(world, target, 'rejoin').options(memberOf(target), ctx.signal);
  const [cheapest] = options;
  if (cheapest === undefined)
    return {
      holds: false,
      measured: [],
      says: `there is no way to bring ${target.member} back: its host cannot be reached or is not in the fleet file`,
    };
  return {
    holds: true,
    measured: options.map(({how, bytes}) => ({how, bytes, expectedMs: copyMs(how, bytes, bytesPerSecond)})),
    says: `${target.member} can come back by ${options.map(({how, bytes}) => wayText(how, bytes, bytesPerSecond)).join(' or ')}`,
  };
}

/** null = nothing is copied, or how much is not known. */
function copyMs(how: string, bytes: number | null, bytesPerSecond: number | null): number | null {
  if (how === 'follow' || bytes === null) return null;
  return Math.max(1000, Math.round((bytes / (bytesPerSecond ?? ASSUMED_BYTES_PER_SECOND)) * 1000));
}

function wayText(how: string, bytes: number | null, bytesPerSecond: number | null): string {
  const ms = copyMs(how, bytes, bytesPerSecond);
  if (bytes === null) return how;
  if (ms === null) return `${how} (${formatBytes(bytes)})`;
  const basis = bytesPerSecond === null ? `at an assumed ${formatBytes(ASSUMED_BYTES_PER_SECOND)} a second` : 'as fast as the last copy';
  return `${how} (${formatBytes(bytes)}, about ${formatMs(ms)} ${basis})`;
}
