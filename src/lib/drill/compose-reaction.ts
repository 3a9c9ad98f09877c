import {refused} from '../errors.ts';
import {call, step, verify} from '../failover/steps.ts';
import type {RouteSpec} from '../fleet/fleet.ts';
import {formatMs} from '../output/units.ts';
import type {Json} from '../plan/json.ts';
import type {Expectation, Gate, Plan, Step} from '../plan/plan.ts';
import {primariesOf} from '../snapshot/primaries.ts';
import {drillCall, type Part, resolvedChecks, unmoved} from './compose-parts.ts';
import type {Drill} from './drill-file.ts';

const MOST_WEIGHT = 100;
const COMMAND_MS = 120_000;
const REFUSAL_MS = 20_000;
/** How long a primary may take to be seen where it was, once the faults are healed. */
const SETTLE_MS = 20_000;

/** Whether the reaction is to leave another region with the primary. */
export function movesPrimary({reaction}: Drill): boolean {
  return !['refused', 'none', 'traffic'].includes(reaction.kind);
}

/** The steps of what is expected to happen. `moved` are the gates that are asked after the fault. */
export function reactionSteps(part: Part, plan: Plan | null, moved: readonly Gate[]): Step[] {
  if (plan !== null) return plannedSteps(plan, moved, part.drill.faults.length > 0).map((each) => claimedWithout(part, plan, each));
  const {reaction} = part.drill;
  switch (reaction.kind) {
    case 'refused':
      return [
        one(
          'plan a failover and see it refused',
          REFUSAL_MS + 10_000,
          drillCall('reaction.refused', {}, {to: reaction.to, gates: [...reaction.gates], withinMs: REFUSAL_MS}),
        ),
      ];
    case 'command':
      return [
        one(
          reaction.killAt === null
            ? 'a process of its own fails over'
            : `a process of its own fails over, is killed at ${reaction.killAt}, and its run is resumed`,
          COMMAND_MS + 10_000,
          drillCall(
            'reaction.command',
            {},
            {
              ...{to: reaction.to, killAt: reaction.killAt, withinMs: COMMAND_MS},
              overrides: reaction.overrides.map((override) => ({...override, by: part.drill.file})),
            },
          ),
        ),
      ];
    case 'person':
      return [
        one(
          `a person: ${reaction.prompts.join('; ')} (${formatMs(reaction.withinMs)} at most)`,
          reaction.withinMs + 30_000,
          drillCall(
            'reaction.person',
            {},
            {prompts: [...reaction.prompts], until: resolvedChecks(reaction.until, part), withinMs: reaction.withinMs},
          ),
        ),
      ];
    case 'exec':
      return [
        one(
          `run ${reaction.run.join(' ')}`,
          reaction.withinMs + 10_000,
          drillCall('reaction.exec', {}, {run: [...reaction.run], withinMs: reaction.withinMs}),
        ),
      ];
    case 'traffic':
      return trafficSteps(part, reaction);
    case 'none':
      return [
        {
          ...one(
            `leave it alone for ${formatMs(reaction.forMs)}: nobody may be promoted`,
            reaction.forMs + 5000,
            drillCall('drill.wait', {}, {forMs: reaction.forMs}),
          ),
          id: 'left-alone',
          phase: 'decide',
        },
      ];
    default:
      return [];
  }
}

/** Where nobody may be promoted, the primary must be where it was. */
export function unmovedStep(part: Part): Step[] {
  const checks = unmoved(part);
  if (movesPrimary(part.drill) || checks.length === 0) return [];
  // While a fault is active its primary may not be seen at all.
  if (part.drill.heal === 'end' && part.drill.faults.length > 0) return [];
  const title = 'see that every primary is where it was';
  return [
    step({
      id: 'unmoved',
      phase: 'verify',
      title,
      do: drillCall('drill.await', {}, {checks, everyMs: 250, withinMs: SETTLE_MS, what: title}),
      onFailure: 'stop',
      deadlineMs: SETTLE_MS + 15_000,
    }),
  ];
}

/** Who is the primary of each store now, as far as it was seen. */
function formerOf({snapshot}: Part, stores: readonly string[]): Record<string, string> {
  const seen = stores.flatMap((name) => {
    const store = snapshot.stores[name];
    const [first] = store === undefined ? [] : primariesOf(store);
    return first === undefined ? [] : [[name, first.name] as const];
  });
  return Object.fromEntries(seen);
}

/**
 * In any case, once every fault is healed: a primary that was lost comes back as what it was. A failover by regionctl has no guard in a drill, so a primary
 * that it passed by is closed here; where nobody may be promoted every primary must be where it was.
 */
export function onePrimaryStep(part: Part): Step[] {
  const {drill, primaries} = part;
  const stores = Object.keys(primaries);
  if (stores.length === 0) return [];
  const {withinMs} = drill.steadyState;
  const close = drill.reaction.kind === 'failover' || drill.reaction.kind === 'command';
  const home = movesPrimary(drill) ? null : {...primaries};
  // A standby that was down all along opens as no primary.
  const former = close ? formerOf(part, stores) : null;
  return [
    step({
      id: 'primaries',
      phase: 'heal',
      title: `see that one member of ${stores.join(' and of ')} takes writes`,
      do: drillCall('drill.primaries', {}, {stores, home, close, former, withinMs}),
      onFailure: 'continue',
      deadlineMs: withinMs + 15_000,
    }),
  ];
}

/** What is expected, for people. */
export function expectedText({drill: {reaction, faults}, primary}: Part): string {
  switch (reaction.kind) {
    case 'failover':
      return `a failover from ${primary}${reaction.to === null ? '' : ` to ${reaction.to}`} by regionctl`;
    case 'command':
      return `a failover${primary === '' ? '' : ` from ${primary}`} by a process of its own${reaction.killAt === null ? '' : `, which is killed at ${reaction.killAt} and resumed`}`;
    case 'refused':
      return `a failover is refused${reaction.gates.length === 0 ? '' : ` by ${reaction.gates.join(', ')}`}`;
    case 'switchover':
      return `a planned move from ${primary}, without loss`;
    case 'failback':
      return 'the way home, without loss';
    case 'traffic':
      return `traffic moves to ${reaction.to}, data stays`;
    case 'person':
      return `a person: ${reaction.prompts.join('; ')}`;
    case 'exec':
      return `${reaction.run.join(' ')} does it`;
    case 'none':
      return `${faults.length === 1 ? 'the fault ends' : 'the faults end'} by ${faults.length === 1 ? 'itself' : 'themselves'}, and nobody is promoted`;
  }
}

function one(title: string, deadlineMs: number, call: Step['do']): Step {
  // What shows that it was done is asked by the reaction itself, after it: a step whose facts hold beforehand is taken for done.
  const phase = call.action === 'reaction.refused' ? 'decide' : 'promote';
  return step({id: 'reaction', phase, title, do: call, deadlineMs, onFailure: 'stop'});
}

/**
 * The plan was made while the lost region answered. A failover of a region that is gone claims only who answers, so this one does, too: to wait for
 * who cannot answer would lengthen every gap, and outlast the proof that a resumed run promotes on. Who answers after all is claimed when it is acted on.
 */
function claimedWithout({drill, fleet, places}: Part, plan: Plan, each: Step): Step {
  const {action, target, args} = each.do;
  const {from} = plan;
  if (drill.reaction.kind !== 'failover' || action !== 'store.claim' || from === null || !places.includes(from)) return each;
  const spec = fleet.stores.find(({name}) => name === target.store);
  const lost = spec?.members.filter(({region}) => region === from).map(({name}) => name) ?? [];
  const members = membersOf(args).filter((name) => !lost.includes(name));
  if (members.length === 0) return each;
  return {...each, title: `claim ${target.store} on ${members.join(', ')}`, do: {...each.do, args: {...(args as object), members}}};
}

function membersOf(args: Json): readonly string[] {
  const members = typeof args === 'object' && args !== null && 'members' in args ? args.members : [];
  return Array.isArray(members) ? members.map(String) : [];
}

/** Its steps as they are, but for a witness of its own. Those that waited for nothing wait for what the moved gates asked. */
function plannedSteps(plan: Plan, moved: readonly Gate[], isFault: boolean): Step[] {
  const reaction = plan.steps.filter(({do: {action}}) => !action.startsWith('witness.'));
  const kept = new Set(reaction.map(({id}) => id));
  const resolve = (id: string): readonly string[] =>
    kept.has(id) ? [id] : (plan.steps.find((each) => each.id === id)?.after.flatMap(resolve) ?? []);
  const down: readonly Expectation[] = moved.flatMap(({asks}) => asks);
  const first = down.length === 0 ? [] : [silentStep(down)];
  const waitsFor = first[0]?.id ?? (isFault ? 'detect' : 'witness-start');
  const steps = reaction.map((each) => {
    const waits = [...new Set(each.after.flatMap(resolve))];
    return {...each, after: waits.length > 0 ? waits : [waitsFor]};
  });
  return [...first, ...steps];
}

/**
 * What a failover asks of the old primary before it begins; the region was found unhealthy just before. A step of its own: a run that is resumed claims again, and after the promotion its
 * standbys hear a primary, the new one.
 */
function silentStep(down: readonly Expectation[]): Step {
  return step({
    id: 'silent',
    phase: 'detect',
    title: 'see that nobody hears from the old primary',
    do: drillCall('drill.wait', {}, {forMs: 0}),
    after: ['detect'],
    requires: down,
  });
}

/** Traffic goes to the other region, stays there, and comes back; nothing else is touched. Throws `no-traffic` (77) where none can move. */
function trafficSteps(part: Part, {from, to, forMs}: {from: string; to: string; forMs: number}): Step[] {
  const {fleet, snapshot, primary, drill} = part;
  const source = from === 'primary' ? primary : from;
  const nowOf = (route: RouteSpec) => {
    const cell = snapshot.routers[route.name];
    return cell?.known === true ? cell.value : route.weights;
  };
  const none = (why: string) =>
    refused('no-traffic', `the drill ${drill.name} was not started: it moves traffic from ${source} to ${to}, and ${why}`);
  if (source === to) throw none('it is there');
  const leading = fleet.routes.filter(({weights}) => to in weights);
  if (leading.length === 0) throw none(`no route leads to ${to}`);
  const routes = leading.filter((route) => (nowOf(route)[source] ?? 0) > 0);
  if (routes.length === 0) throw none(`no route that leads there sends any to ${source} now`);
  return [
    ...routes.map((route) =>
      weightStep(
        route,
        `traffic-${route.name}`,
        movedWeights(nowOf(route), source, to),
        nowOf(route),
        `send the traffic of ${source} at ${route.name} to ${to}`,
      ),
    ),
    step({
      id: 'away',
      phase: 'reroute',
      title: `leave it there for ${formatMs(forMs)}`,
      do: drillCall('drill.wait', {}, {forMs}),
      deadlineMs: forMs + 5000,
    }),
    ...routes.map((route) => weightStep(route, `back-${route.name}`, nowOf(route), null, `send it back to ${source}`)),
  ];
}

/** A weight is 100 at most: where the two together are more, all are made smaller, and each region's share stays what it is. */
export function movedWeights(now: Readonly<Record<string, number>>, source: string, to: string): Readonly<Record<string, number>> {
  const moved = {...now, [source]: 0, [to]: (now[to] ?? 0) + (now[source] ?? 0)};
  const factor = Math.min(1, MOST_WEIGHT / Math.max(...Object.values(moved)));
  const smaller = (weight: number) => (weight === 0 || factor === 1 ? weight : Math.max(1, Math.round(weight * factor)));
  return Object.fromEntries(Object.entries(moved).map(([region, weight]) => [region, smaller(weight)]));
}

function weightStep(
  route: RouteSpec,
  id: string,
  weights: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>> | null,
  title: string,
): Step {
  return step({
    id,
    phase: 'reroute',
    title,
    do: call('route.weights', {router: route.name}, {weights, cut: false}),
    ensures: [verify('route.weights', {router: route.name}, weights)],
    undo: before === null ? null : call('route.weights', {router: route.name}, {weights: before, cut: false}),
    // Traffic that cannot be sent back is at least tried once more, by undoing what sent it away.
    onFailure: 'undo',
  });
}
