import {call, expect, step} from '../failover/steps.ts';
import type {Json} from '../plan/json.ts';
import type {Step} from '../plan/plan.ts';
import {shownUrl} from '../witness/load-url.ts';
import type {Part} from './compose-parts.ts';
import type {DrillLoad} from './drill-file.ts';

/** The requests that are under way when it is stopped have their deadline, of at most a minute. */
const STOP_MS = 70_000;
/** A generator of somebody else's may run for as long as a drill can. */
const EXEC_MS = 86_400_000;

/** The steps of the load: started before the warm-up, told when the fault comes and when it is over, and stopped in any case. */
export function loadSteps(part: Part): {
  /** Before the witness and its warm-up: what clients felt before the fault is measured during that. */
  readonly start: readonly Step[];
  readonly during: readonly Step[];
  readonly after: readonly Step[];
  readonly end: readonly Step[];
  readonly always: readonly Step[];
} {
  const {load, faults} = part.drill;
  if (load === null) return {start: [], during: [], after: [], end: [], always: []};
  const start = step({
    id: 'load-start',
    phase: 'preflight',
    title:
      load.kind === 'exec' ? `start the load: ${load.command.join(' ')}` : `ask ${shownUrl(urlOf(part, load))} ${load.rate} times a second`,
    do: call('load.start', {}, startArgs(part, load)),
    ensures: [expect('load.running', {}, true)],
    onFailure: 'undo',
    undo: call('load.stop', {}, {}),
    until: 'load-stop',
    deadlineMs: 20_000,
  });
  return {
    start: [start],
    during: [phaseStep('during', faults.length > 0 ? 'from here on the fault counts' : 'from here on the move counts')],
    after: [phaseStep('after', 'from here on the recovery counts')],
    end: [{...stopStep('load-stop', 'verify'), after: ['load-start']}],
    always: [stopStep('load-end', 'heal')],
  };
}

function stopStep(id: string, phase: 'verify' | 'heal'): Step {
  return step({
    id,
    phase,
    title: 'stop the load and count what clients felt',
    do: call('load.stop', {}, {}),
    onFailure: 'continue',
    deadlineMs: STOP_MS,
  });
}

function phaseStep(phase: 'during' | 'after', title: string): Step {
  return step({
    id: `load-${phase}`,
    phase: phase === 'during' ? 'inject' : 'verify',
    title: `the load: ${title}`,
    do: call('load.phase', {}, {phase}),
    onFailure: 'continue',
  });
}

function startArgs(part: Part, load: DrillLoad): Json {
  if (load.kind === 'exec') return {kind: 'exec', command: load.command, timeoutMs: EXEC_MS, drill: part.drill.name};
  const {method, body, rate, deadlineMs} = load;
  return {kind: 'built-in', url: urlOf(part, load), method, body, rate, deadlineMs, expectStatus: null};
}

function urlOf({fleet, witness}: Part, {url, path}: Extract<DrillLoad, {kind: 'built-in'}>): string {
  const base = url ?? fleet.routes.find((route) => route.url !== null)?.url ?? witness.url;
  return path === null ? base : new URL(path, base).href;
}
