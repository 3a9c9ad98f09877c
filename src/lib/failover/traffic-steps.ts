import type {Fleet, RouteSpec, WitnessSpec} from '../fleet/fleet.ts';
import type {Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {call, expect, step, verify} from './steps.ts';

/** Takes all traffic off a route and cuts its sessions: what is still open could go on writing to the old primary. */
export function drainStep(route: RouteSpec, snapshot: Snapshot): Step {
  const zero = Object.fromEntries(Object.keys(route.weights).map((region) => [region, 0]));
  const current = snapshot.routers[route.name];
  return step({
    id: `drain-${route.name}`,
    phase: 'fence',
    title: `hold traffic at ${route.name} and cut its open sessions`,
    do: call('route.weights', {router: route.name}, {weights: zero, cut: true}),
    ensures: [expect('route.weights', {router: route.name}, zero)],
    undo: current?.known ? call('route.weights', {router: route.name}, {weights: current.value, cut: false}) : null,
    // A router that does not answer stops the run at its gate; whoever passed that gate by name goes on without it.
    onFailure: current?.known ? 'undo' : 'continue',
  });
}

/** Sends the route's traffic to one region. */
export function rerouteStep(route: RouteSpec, to: string, snapshot: Snapshot): Step {
  return sendStep(route, weightsOf(route, to, 100, to), `send traffic of ${route.name} to ${to}`, snapshot);
}

/**
 * Brings the route's traffic home: at once, or in the stages of the fleet file. `first` ends the gap; `later` are safe points, each of which
 * waits until home has stayed well with what it has.
 */
export function homeSteps(route: RouteSpec, from: string, to: string, snapshot: Snapshot): {first: Step; later: Step[]} {
  const {stages} = route;
  const whole = normalStep(route, to, snapshot);
  const [least, ...more] = (stages?.shares ?? []).map((share): Step => {
    const sent = sendStep(route, weightsOf(route, to, share, from), `send ${share} % of the traffic of ${route.name} to ${to}`, snapshot);
    const holdMs = stages?.holdMs ?? 0;
    const watch = [expect('region.verdict', {region: to}, FIT)];
    return {
      ...sent,
      id: `${sent.id}-${share}`,
      hold: {forMs: holdMs, everyMs: Math.min(STAGE_LOOK_MS, Math.max(1, holdMs)), minSamples: 2, watch},
    };
  });
  if (least === undefined) return {first: whole, later: []};
  return {first: least, later: [...more, whole].map((each) => ({...each, phase: 'converge' as const}))};
}

const FIT = ['healthy', 'degraded'];
const STAGE_LOOK_MS = 2000;

/** The shares of normal operation, where home has the greatest of them and the others that have one can serve; else everything goes home. */
function normalStep(route: RouteSpec, to: string, snapshot: Snapshot): Step {
  const shares = Object.entries(route.weights).filter(([, weight]) => weight > 0);
  const greatest = shares.every(([region, weight]) => region === to || weight < (route.weights[to] ?? 0));
  const serving = shares.every(([region]) => {
    const cell = snapshot.regions[region];
    return region === to || (cell?.known === true && FIT.includes(cell.value.verdict));
  });
  if (shares.length < 2 || !greatest || !serving) return rerouteStep(route, to, snapshot);
  const text = shares.map(([region, weight]) => `${region} ${weight}`).join(', ');
  return sendStep(route, route.weights, `give ${route.name} its normal weights: ${text}`, snapshot);
}

function weightsOf(route: RouteSpec, to: string, share: number, rest: string): Readonly<Record<string, number>> {
  const weightOf = (region: string): number => (region === to ? share : region === rest ? 100 - share : 0);
  return Object.fromEntries(Object.keys(route.weights).map((region) => [region, weightOf(region)]));
}

function sendStep(route: RouteSpec, weights: Readonly<Record<string, number>>, title: string, snapshot: Snapshot): Step {
  return step({
    id: `reroute-${route.name}`,
    phase: 'reroute',
    title,
    do: call('route.weights', {router: route.name}, {weights, cut: false}),
    ensures: [verify('route.weights', {router: route.name}, weights)],
    onFailure: snapshot.routers[route.name]?.known ? 'stop' : 'continue',
  });
}

/** A write through the front door must be accepted, and answered by the new region. Only where the fleet file lets regionctl write. */
export function writeStep(fleet: Fleet, to: string): Step[] {
  if (fleet.witness === null) return [];
  return [
    step({
      id: 'verify-write',
      phase: 'verify',
      title: `write through the front door and see ${to} answer`,
      do: call('verify.write', {region: to}, {url: fleet.witness.url, deadlineMs: fleet.witness.deadlineMs}),
      onFailure: 'stop',
    }),
  ];
}

/**
 * The witness measures the write gap of the run from its first step to its last. Where writes are accepted at the start, `warmUpMs` lets it see
 * that before anything is held up: a gap that it did not see begin is not measured.
 */
export function witnessSteps(witness: WitnessSpec | null, warmUpMs = 0): {start: Step[]; end: Step[]; stop: Step[]} {
  if (witness === null) return {start: [], end: [], stop: []};
  const {url, everyMs, deadlineMs} = witness;
  const stop = step({
    id: 'witness-stop',
    phase: 'heal',
    title: 'stop the witness and read back what it wrote',
    do: call('witness.stop', {}, {coolDownMs: 200}),
    onFailure: 'continue',
    deadlineMs: 30_000,
  });
  return {
    // `stop` always runs; `end` is for plans that go on for long after the gap: nobody's orders are written while a guard waits.
    start: [
      step({
        id: 'witness',
        phase: 'preflight',
        title: `write a numbered order every ${everyMs} ms, to measure the gap`,
        do: call('witness.start', {}, {url, everyMs, deadlineMs, ...(warmUpMs === 0 ? {} : {ready: true})}),
        ensures: [expect('witness.running', {}, true)],
        hold: warmUpMs === 0 ? null : {forMs: warmUpMs, everyMs: warmUpMs, minSamples: 1, watch: [expect('witness.running', {}, true)]},
        onFailure: 'continue',
      }),
    ],
    end: [{...stop, id: 'witness-end', phase: 'verify'}],
    stop: [stop],
  };
}
