import type {Json} from '../plan/json.ts';
import type {Call, Expectation, Phase, Step, Target} from '../plan/plan.ts';

/** What a step needs beyond the defaults: no undo, no pivot, ten seconds, stop on failure. */
type StepParts = Pick<Step, 'id' | 'phase' | 'title' | 'do'> & Partial<Omit<Step, 'id' | 'phase' | 'title' | 'do'>>;

/** How old an answer may be when it guards an effect. */
const FRESH_MS = 1000;

/** A step with the defaults filled in. */
export function step(parts: StepParts): Step {
  return {
    after: [],
    requires: [],
    ensures: [],
    undo: null,
    pivot: false,
    leaseMs: null,
    hold: null,
    approval: null,
    deadlineMs: 10_000,
    onFailure: 'undo',
    ...parts,
  };
}

/** A call of version 1 of an action. */
export function call(action: string, target: Target, args: Json = {}): Call {
  return {action, v: 1, target, args};
}

/** A fact that is asked of whatever path is at hand. */
export function expect(check: string, target: Target, want: Json): Expectation {
  return {check, target, want, via: 'any', maxAgeMs: FRESH_MS};
}

/** A fact that is asked by another path than the one that acted. */
export function verify(check: string, target: Target, want: Json): Expectation {
  return {...expect(check, target, want), via: 'independent'};
}

/** Each step waits for the one before it, besides those that it names: plans of this house run in the order in which they are read. */
export function inOrder(steps: readonly Step[]): Step[] {
  // A step that may fail without stopping the run is nobody's condition.
  return steps.map((current, index) => {
    const before = steps.slice(0, index).findLast(({onFailure}) => onFailure !== 'continue');
    return before === undefined ? current : {...current, after: [...new Set([...current.after, before.id])]};
  });
}

/**
 * Steps that act on what no claim guards by itself (routers, hosts, hooks) ask for it right before: whoever slept while another took over must
 * not move traffic, or stop a server, under the other's hands. Statements on servers are bound to the claim where they are sent.
 */
export function underClaims(steps: readonly Step[], stores: readonly string[]): Step[] {
  return steps.map((current) => {
    if (!UNBOUND.has(current.do.action)) return current;
    const {store} = current.do.target;
    const claims = (store === undefined ? stores : [store]).map((name) => expect('store.claimed', {store: name}, true));
    return {...current, requires: [...claims, ...current.requires]};
  });
}

const UNBOUND: ReadonlySet<string> = new Set(['route.weights', 'route.leave', 'hook.run', 'store.fence', 'store.rejoin', 'store.save']);

/** The store that steps are built for. `suffix` tells the steps of several stores apart. */
export type StoreScope = {readonly store: string; readonly suffix: string};

/** Who must hold a write before it is acknowledged: any `need` of `of`. */
export type DurabilityRule = {readonly need: number; readonly of: readonly string[]};

/** Builders of the steps that failover and failback share. */
export function storeSteps(scope: StoreScope) {
  return {...claimSteps(scope), ...fenceSteps(scope), ...promoteSteps(scope), ...standbySteps(scope)};
}

/** Who may act on the store. */
function claimSteps(scope: StoreScope) {
  const {store} = scope;
  return {
    claim: (members: readonly string[], {ready = false, evict = false}: {readonly ready?: boolean; readonly evict?: boolean} = {}): Step =>
      step({
        id: stepId(scope, 'claim'),
        phase: 'preflight',
        title: `${evict ? 'end the sessions of whoever has claimed, and ' : ''}claim ${store} on ${members.join(', ')}`,
        do: call('store.claim', {store}, {members, ...(ready ? {ready} : {}), ...(evict ? {evict} : {})}),
        ensures: [expect('store.claimed', {store}, true)],
        undo: call('store.release', {store}),
      }),
    release: (): Step =>
      step({
        id: stepId(scope, 'release'),
        phase: 'heal',
        title: `release the claim on ${store}`,
        do: call('store.release', {store}),
        onFailure: 'continue',
        deadlineMs: 5000,
      }),
  };
}

/** What keeps the old primary from acknowledging. */
function fenceSteps(scope: StoreScope) {
  const {store} = scope;
  return {
    seal: (
      members: readonly string[],
      upstream: string | null,
      requires: readonly Expectation[] = [],
      besides: readonly Expectation[] = [],
    ): Step =>
      step({
        id: stepId(scope, 'seal'),
        phase: 'fence',
        title: `make ${members.join(' and ')} let go of ${upstream ?? 'their upstream'}`,
        do: call('store.seal', {store}, {members}),
        requires,
        ensures: [expect('store.sealed', {store}, {members}), ...besides],
        undo: upstream === null ? null : call('store.unseal', {store}, {members, upstream}),
        deadlineMs: besides.length === 0 ? 10_000 : 60_000,
      }),
    fence: (
      member: string,
      region: string,
      quorum: {need: number; standbys: readonly string[]; others: number; clean?: boolean},
      accept: readonly string[],
      mayUndo = true,
    ): Step =>
      step({
        id: stepId(scope, `fence-${member}`),
        phase: 'fence',
        title: `prove that ${member} can no longer acknowledge writes`,
        do: call('store.fence', memberTarget(scope, member, region), {...quorum, accept}),
        ensures: [expect('store.fenced', memberTarget(scope, member, region), {...quorum, accept, tried: true})],
        undo: mayUndo ? call('store.unfence', memberTarget(scope, member, region), {when: 'undo'}) : null,
        deadlineMs: quorum.clean === true ? 120_000 : 20_000,
      }),
    writeOut: (member: string, region: string): Step =>
      step({
        id: stepId(scope, `write-out-${member}`),
        phase: 'preflight',
        title: `let ${member} write out what it holds in memory, so that its stop is short`,
        do: call('store.write-out', memberTarget(scope, member, region)),
        deadlineMs: 600_000,
      }),
    unfence: (member: string, region: string): Step =>
      step({
        id: stepId(scope, `unfence-${member}`),
        phase: 'converge',
        title: `lift the fence of ${member}, now that it follows`,
        do: call('store.unfence', memberTarget(scope, member, region), {when: 'following'}),
        ensures: [expect('store.open', memberTarget(scope, member, region), true)],
        onFailure: 'stop',
      }),
  };
}

/** What makes the new primary. */
function promoteSteps(scope: StoreScope) {
  const {store} = scope;
  return {
    catchUp: (member: string, region: string, among: readonly string[]): Step =>
      step({
        id: stepId(scope, 'catch-up'),
        phase: 'promote',
        title: `bring ${member} to the most advanced position of ${among.join(', ')}`,
        do: call('store.catch-up', memberTarget(scope, member, region), {among}),
        ensures: [expect('store.most-advanced', memberTarget(scope, member, region), {among: [...among], replayed: true})],
        deadlineMs: 60_000,
      }),
    durability: (member: string, region: string, {need, of}: DurabilityRule, before: DurabilityRule | undefined): Step =>
      step({
        id: stepId(scope, 'durability'),
        phase: 'promote',
        title:
          need === 0
            ? `let ${member} acknowledge writes alone (asynchronous)`
            : `let ${member} acknowledge a write when ${need} of ${of.join(', ')} hold it`,
        do: call('store.durability', memberTarget(scope, member, region), {need, of}),
        ensures: [expect('store.durability', memberTarget(scope, member, region), {need, of})],
        undo: before === undefined ? null : call('store.durability', memberTarget(scope, member, region), {...before, back: true}),
      }),
    promote: (member: string, region: string, epoch: number, requires: readonly Expectation[], mark = true): Step =>
      step({
        id: stepId(scope, 'promote'),
        phase: 'promote',
        title: `promote ${member} in ${region}`,
        do: call('store.promote', memberTarget(scope, member, region), mark ? {epoch} : {epoch, mark}),
        requires: [expect('store.claimed', {store}, true), ...requires],
        ensures: [verify('store.primary', {store}, member)],
        pivot: true,
        // Refused before its effect, nothing has happened: the way back is open. The runner never goes back past the effect.
        onFailure: 'undo',
      }),
  };
}

/** What brings the others under it. */
function standbySteps(scope: StoreScope) {
  const {store} = scope;
  return {
    follow: (member: string, region: string, upstream: string): Step =>
      step({
        id: stepId(scope, `follow-${member}`),
        phase: 'follow',
        title: `let ${member} follow ${upstream}`,
        do: call('store.follow', memberTarget(scope, member, region), {upstream}),
        ensures: [expect('store.following', memberTarget(scope, member, region), upstream)],
        onFailure: 'stop',
      }),
    /** For one that cannot follow yet: nobody waits for it, and the run does not fail for it. */
    point: (member: string, region: string, upstream: string): Step =>
      step({
        id: stepId(scope, `point-${member}`),
        phase: 'follow',
        title: `show ${member} the way to ${upstream}`,
        do: call('store.point', memberTarget(scope, member, region), {upstream}),
        onFailure: 'continue',
      }),
    rejoin: (member: string, region: string, upstream: string, how: 'follow' | 'rewind' | 'auto', phase: Phase): Step =>
      step({
        id: stepId(scope, `rejoin-${member}`),
        phase,
        title: how === 'rewind' ? `rewind or rebuild ${member} from ${upstream}` : `bring ${member} back as a standby of ${upstream}`,
        do: call('store.rejoin', memberTarget(scope, member, region), {upstream, how}),
        ensures: [expect('store.following', memberTarget(scope, member, region), upstream)],
        onFailure: 'stop',
        deadlineMs: 3_600_000,
      }),
    save: (member: string, region: string, upstream: string): Step =>
      step({
        id: stepId(scope, `save-${member}`),
        phase: 'converge',
        title: `keep what ${member} holds and ${upstream} does not`,
        do: call('store.save', memberTarget(scope, member, region), {upstream}),
        ensures: [expect('store.kept', memberTarget(scope, member, region), true)],
        onFailure: 'stop',
        deadlineMs: 3_600_000,
      }),
    caughtUp: (member: string, region: string, upstream: string): Step =>
      step({
        id: stepId(scope, `caught-up-${member}`),
        phase: 'converge',
        title: `wait until ${member} has replayed what ${upstream} has now`,
        do: call('store.await-caught-up', memberTarget(scope, member, region), {upstream}),
        deadlineMs: 3_600_000,
      }),
    equal: (members: readonly string[], primary: string, mayMiss: readonly string[] = []): Step =>
      step({
        id: stepId(scope, 'equal'),
        phase: 'verify',
        title: `compare ${members.join(', ')} row by row`,
        do: call('verify.equal', {store}, {members, primary, ...(mayMiss.length === 0 ? {} : {mayMiss})}),
        onFailure: 'stop',
        deadlineMs: 600_000,
      }),
  };
}

function stepId(scope: StoreScope, name: string): string {
  return `${name}${scope.suffix}`;
}

function memberTarget(scope: StoreScope, member: string, region: string): Target {
  return {store: scope.store, member, region};
}
