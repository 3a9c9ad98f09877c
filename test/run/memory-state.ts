import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {Clock} from '../../src/lib/ports/clock.ts';
import type {JournalEvent, Lease, State} from '../../src/lib/ports/state.ts';

/** State in memory: it outlives a "crash", which is only a new engine on the same object. */
export function memoryState(clock: Clock): State {
  const plans = new Map<string, {fleet: string; plan: string; startedAt: number}>();
  const journal = new Map<string, JournalEvent[]>();
  const memory = new Map<string, Json>();
  const notes: {topic: string; at: number; data: Json}[] = [];
  return {
    createRun: (runId, fleet, plan) => {
      plans.set(runId, {fleet, plan: JSON.stringify(plan), startedAt: clock.wall()});
      journal.set(runId, []);
    },
    append: (runId, event) => {
      const events = journal.get(runId) ?? [];
      const line: JournalEvent = {seq: events.length + 1, at: clock.wall(), ...(JSON.parse(JSON.stringify(event)) as typeof event)};
      events.push(line);
      journal.set(runId, events);
      return line;
    },
    plan: (runId) => {
      const text = plans.get(runId)?.plan;
      return text === undefined ? null : (JSON.parse(text) as Plan);
    },
    events: (runId, after = 0) => (journal.get(runId) ?? []).filter(({seq}) => seq > after),
    runs: (fleet) =>
      [...plans].reverse().flatMap(([runId, {plan: text, startedAt, ...head}]) => {
        const {kind, from, to} = JSON.parse(text) as Plan;
        return fleet === undefined || head.fleet === fleet ? [{runId, fleet: head.fleet, kind, from, to, startedAt}] : [];
      }),
    lease: () => freeLease(),
    holder: () => null,
    remember: (key, value) => void memory.set(key, value),
    recall: (key) => memory.get(key),
    note: (topic, data) => void notes.push({topic, at: clock.wall(), data}),
    notes: (topic, most = 1000, since = Number.NEGATIVE_INFINITY) =>
      notes.filter((each) => each.topic === topic && each.at >= since).slice(-most),
    together: (work) => work(),
    close: () => {},
  };
}

/** A lease that is held until `lose` is called. */
export function freeLease(): Lease & {lose(): void} {
  let held = true;
  return {
    token: '1-test',
    check: () => {
      if (!held) throw Object.assign(new Error('lease lost'), {code: 'lease-lost', exit: 75});
    },
    release: () => {},
    lose: () => {
      held = false;
    },
  };
}

/** A process that dies. Nothing of the engine may catch it. */
export const CRASH = {crash: true};

/** The same state, whose process dies at one append: `before` it is written, or right `after`. `count` says how many appends there were. */
export function crashingState(state: State, at: number, when: 'before' | 'after'): State & {count(): number} {
  let count = 0;
  let dead = false;
  return {
    ...state,
    count: () => count,
    append: (runId, event) => {
      count += 1;
      if (dead || (count === at && when === 'before')) {
        dead = true;
        throw CRASH;
      }
      const line = state.append(runId, event);
      if (count !== at) return line;
      dead = true;
      throw CRASH;
    },
  };
}
