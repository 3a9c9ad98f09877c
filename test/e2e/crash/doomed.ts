// A regionctl that kills itself, as `kill -9` would, at one point of a run on a real fleet. It is wired as the commands are.
// Arguments: fleet file, failover | failback | switchover | the file of a drill, point (points.ts), delay of an `inside` point in ms, and optionally the step after whose result
// it is interrupted, so that it can be killed while it undoes. A point that is never reached ends it with 3. With REGIONCTL_DOOMED=SIGSTOP it is
// stopped there instead, and goes on when it is told to.
import {channel} from 'node:diagnostics_channel';
import {setTimeout as sleep} from 'node:timers/promises';
import pg from 'pg';
import {loadDrill} from '../../../src/lib/drill/drill-file.ts';
import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../../src/lib/fleet/load.ts';
import {conductPlan} from '../../../src/lib/operate/conduct.ts';
import {prepareDrill} from '../../../src/lib/operate/drill.ts';
import {type Prepared, prepareFailback, prepareFailover, prepareSwitchover} from '../../../src/lib/operate/prepare.ts';
import {type World, worldOf} from '../../../src/lib/operate/world.ts';
import type {Action} from '../../../src/lib/plan/action.ts';
import type {JournalEvent, State} from '../../../src/lib/ports/state.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import {type OpenFleet, openFleet} from '../../../src/lib/providers/open-fleet.ts';
import {refuseShutGates} from '../../../src/lib/run/judge-gates.ts';
import {ActionRegistry} from '../../../src/lib/run/registry.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {pointFrom} from './points.ts';

const EFFECTS =
  /alter system|pg_reload_conf|pg_promote|pg_try_advisory_lock|pg_advisory_unlock|pg_terminate_backend|create_physical|^copy/i;

const [file = '', kind = '', text = '', delay = '0', interruptAfter = ''] = process.argv.slice(2);
const point = pointFrom(text);
const deadly = process.env.REGIONCTL_DOOMED === 'SIGSTOP' ? 'SIGSTOP' : 'SIGKILL';
const die = () => process.kill(process.pid, deadly);
/** The step whose effect goes on, by its intent on record. */
const now = {step: '', applying: false};
const aims = (moment: string) => now.applying && point.moment === moment && point.step === now.step;
// What was written in this tick is out of the process by then.
const dieSent = () => aims('sent') && setImmediate(die);

watchStatements();
watchRequests();
await run();
process.exitCode = 3;

async function run(): Promise<void> {
  const clock = systemClock();
  const fleet = await loadFleet(file, kindsOf(builtinProviders));
  const open = dyingAtCreation(await openFleet({fleet, providers: builtinProviders, clock, defaultStateDir: ''}));
  const interrupt = new AbortController();
  const life = new AbortController();
  const bound = worldOf(open, {life: life.signal});
  const world: World = {...bound, actions: dying(bound.actions)};
  const {plan, marks} = await (kind.endsWith('.yaml') ? drilled : moved)(open, world, interrupt.signal);
  refuseShutGates(plan);
  const onEvent = (event: JournalEvent) => {
    if (point.moment === event.type && point.step === (event.step ?? '')) die();
    if (event.type === 'intent') now.step = event.step ?? '';
    if (event.type === 'result' && event.step === interruptAfter) interrupt.abort(new Error('interrupted'));
  };
  await conductPlan(open, world, plan, {interrupt: interrupt.signal, leave: new AbortController().signal, onEvent, marks});
  life.abort();
  await open.close();
}

function moved(open: OpenFleet, world: World, signal: AbortSignal): Promise<Prepared> {
  const prepare = {failover: prepareFailover, failback: prepareFailback, switchover: prepareSwitchover}[kind];
  if (prepare === undefined) throw new Error(`there is no ${kind}`);
  const to = kind === 'failback' ? undefined : 'eu-west';
  return prepare(open, world, {to, overrides: [], signal, guard: {forMs: 0}});
}

async function drilled(open: OpenFleet, world: World, signal: AbortSignal): Promise<Prepared> {
  const drill = await loadDrill({file: kind, cwd: process.cwd(), fleet: open.fleet, faults: open.fault});
  return prepareDrill(open, world, {drill, overrides: [], signal});
}

function dyingAtCreation(open: OpenFleet): OpenFleet {
  if (point.moment !== 'created') return open;
  const dyingState = async (): Promise<State> => {
    const state = await open.state();
    const createRun: State['createRun'] = (...args) => {
      state.createRun(...args);
      die();
    };
    return {...state, createRun};
  };
  return {...open, state: dyingState};
}

function dying(actions: ActionRegistry): ActionRegistry {
  const all = actions.names().map((each) => {
    const [name = '', v = ''] = each.split(' v');
    return actions.get(name, Number(v));
  });
  return new ActionRegistry(all.map(dyingAction));
}

function dyingAction(action: Action): Action {
  const apply: Action['apply'] = async (...args) => {
    now.applying = true;
    if (aims('inside')) void sleep(Number(delay)).then(die);
    const result = await action.apply(...args);
    // An effect that sent nothing, or was done before the delay was over, dies at its end.
    if (aims('applied') || aims('sent') || aims('inside')) die();
    now.applying = false;
    return result;
  };
  return {...action, apply};
}

function watchStatements(): void {
  const {query} = pg.Client.prototype;
  pg.Client.prototype.query = function watched(this: pg.Client, ...args: unknown[]) {
    const [first] = args;
    const sql = typeof first === 'string' ? first : String((first as {text?: string} | undefined)?.text);
    const answer = Reflect.apply(query, this, args);
    if (EFFECTS.test(sql)) dieSent();
    return answer;
  } as typeof query;
}

function watchRequests(): void {
  channel('undici:client:sendHeaders').subscribe((message) => {
    const {method, path} = (message as {request: {method: string; path: string}}).request;
    if (method !== 'GET' && (path !== '/orders' || now.step === 'verify-write')) dieSent();
  });
}
