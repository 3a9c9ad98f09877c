import {formatMs} from '../output/units.ts';
import {isRecord, textOrNull} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {PhaseTimes} from '../plan/plan-document.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {RunDocument} from '../run/document.ts';
import {progressOf, stepProgress} from '../run/progress.ts';
import {speaksOf} from './judge.ts';
import type {BesideRow, EarlierDrill, FaultRow, LoadRow, StoreWitnessRow, WitnessRow} from './report.ts';

/** What surprises are looked for in. */
export type SurpriseInput = {
  readonly run: RunDocument;
  readonly plan: Plan;
  readonly events: readonly JournalEvent[];
  readonly faults: readonly FaultRow[];
  readonly witness: WitnessRow | null;
  readonly stores: readonly StoreWitnessRow[];
  readonly load: LoadRow | null;
  readonly beside: readonly BesideRow[];
  readonly earlier: readonly EarlierDrill[];
};

/** A heal that takes longer than this to be proven is no matter of course. */
const SLOW_HEAL_MS = 5000;
/** A shorter standstill of our own process is told in the counts only. */
const STALL_MS = 100;
/** A phase is much longer than before at twice the median of earlier drills, and by at least this much. */
const MUCH_LONGER_MS = 1000;
/** The p95 is clearly above at half as much again, and by at least this much; with fewer requests it says nothing. */
const CLEARLY_ABOVE_MS = 20;
const FEWEST_REQUESTS = 20;
/** More of the requests than this fail after the drill than before it. */
const CLEARLY_WORSE = 0.01;

/** What nobody had planned, one sentence each, the gravest first. */
export function surprisesOf(input: SurpriseInput): string[] {
  const found = [
    twoWriters,
    losses,
    duplicates,
    lateHeals,
    endedBefore,
    passedOver,
    takenUp,
    retried,
    unknownButThere,
    overridden,
    besides,
    slowPhases,
    loadAfter,
    stalls,
    troubles,
    ({run}: SurpriseInput) => run.notes,
  ];
  return [...new Set(found.flatMap((find) => find(input)))];
}

type Found = readonly string[];

function twoWriters({stores}: SurpriseInput): Found {
  return stores.flatMap(({store, twoWriters: two}) =>
    two === null
      ? []
      : [
          `two members of ${store} acknowledged writes at the same time, for ${formatMs(two.ms)}: ${two.members.join(' and ')}, ${two.writes} writes`,
        ],
  );
}

/** Where an objective speaks of losses, they are its matter. */
function losses({run, plan, stores}: SurpriseInput): Found {
  const classes = plan.drillSpec?.classes;
  const isAny = run.objectives.some(({kind}) => kind === 'rpo');
  // Of a plan that does not say what each store holds, any objective of loss may speak of it.
  const speaks = (store: string): boolean =>
    classes === undefined ? isAny : run.objectives.some((objective) => speaksOf(objective, store, classes));
  const ofStores = stores.filter(({store}) => !speaks(store));
  return [
    ...(isAny ? [] : gone('', run.measured.lostWrites)),
    ...ofStores.flatMap(({store, all}) => {
      const lost = all.lostWrites ?? all.lost?.length ?? null;
      return lost === null ? [`what ${store} has lost is not known, and no objective speaks of it`] : gone(` of ${store}`, lost);
    }),
  ];
}

function gone(where: string, lost: number | null): Found {
  if (lost === null || lost === 0) return [];
  return [`${count(lost, 'acknowledged write')}${where} ${lost === 1 ? 'is' : 'are'} gone, and no objective says how many may be`];
}

function duplicates({run, stores}: SurpriseInput): Found {
  const twice = (where: string, writes: number | null | undefined): Found =>
    (writes ?? 0) > 0 ? [`${count(writes ?? 0, 'write')} of ${where} ${writes === 1 ? 'is' : 'are'} there more than once`] : [];
  return [
    ...twice('the witness', run.measured.duplicatedWrites),
    ...stores.flatMap(({store, all}) => twice(`the witness of ${store}`, all.duplicatedWrites ?? all.duplicated?.length)),
  ];
}

function lateHeals(input: SurpriseInput): Found {
  return input.faults.flatMap((fault): Found => {
    const name = `${fault.fault} on ${fault.region}`;
    if (fault.healedAt === null) return [];
    const healed = Date.parse(fault.healedAt);
    // Of an end that nobody saw only what is certain counts against its lease.
    const surely = Date.parse(fault.endFrom ?? fault.healedAt);
    const asked = healAskedAt(input, fault);
    const lease = fault.leaseMs ?? null;
    return [
      ...(asked !== null && healed - asked > SLOW_HEAL_MS ? [`${name} outlived its heal by ${formatMs(healed - asked)}`] : []),
      ...(lease !== null && surely - Date.parse(fault.injectedAt) > lease + SLOW_HEAL_MS
        ? [`${name} lasted longer than its lease of ${formatMs(lease)}`]
        : []),
    ];
  });
}

/** The drill did not end it. */
function endedBefore({faults}: SurpriseInput): Found {
  return faults.flatMap(({fault, region, endBasis, endSays}) =>
    endBasis === 'recorded' || endBasis === 'estimated'
      ? [`the drill found ${fault} on ${region} over: ${endSays ?? 'it had ended before'}`]
      : [],
  );
}

/** When the last heal of a fault's place was begun; null = none was. */
function healAskedAt({plan, events}: SurpriseInput, {region, injectedAt}: FaultRow): number | null {
  const heals = allSteps(plan).filter(({do: call}) => call.action === 'fault.heal' && call.target.region === region);
  const began = events.filter(({type, step, at}) => {
    return type === 'step-started' && at >= Date.parse(injectedAt) && heals.some(({id}) => id === step);
  });
  return began[0]?.at ?? null;
}

function passedOver({run, plan}: SurpriseInput): Found {
  return run.steps.flatMap(({id, status, title, detail}) => {
    const goesOn = allSteps(plan).some((step) => step.id === id && step.onFailure === 'continue');
    return status === 'failed' && goesOn ? [`"${title}" failed and was passed over${detail === null ? '' : `: ${detail}`}`] : [];
  });
}

function takenUp({events}: SurpriseInput): Found {
  const times = events.filter(({type}) => type === 'resumed').length;
  return times === 0 ? [] : [`the run was cut short and taken up again${times === 1 ? '' : ` ${times} times`}`];
}

function retried({plan, events}: SurpriseInput): Found {
  const progress = progressOf(plan, events);
  return plan.steps.flatMap((step) => {
    const {attempts} = stepProgress(progress, step);
    return attempts > 1 ? [`"${step.title}" was tried ${attempts} times`] : [];
  });
}

function unknownButThere({witness, stores}: SurpriseInput): Found {
  const there = (where: string, writes: number | null | undefined): Found =>
    (writes ?? 0) > 0
      ? [`${count(writes ?? 0, 'write')} of ${where} had no answer and ${writes === 1 ? 'is' : 'are'} there all the same`]
      : [];
  return [
    ...there('the witness', witness?.unknownButPresent),
    ...stores.flatMap(({store, all}) => there(`the witness of ${store}`, all.unknownButPresent)),
  ];
}

function overridden({run}: SurpriseInput): Found {
  return run.overrides.map(({gate, by, reason}) => `the gate ${gate} was passed by ${by}: ${reason}`);
}

function besides({beside}: SurpriseInput): Found {
  return beside
    .filter(({outcome}) => outcome !== 'succeeded')
    .map(({when, kind, outcome, says}) => `the ${kind} ${when} the drill ended as ${outcome}${says === '' ? '' : `: ${says}`}`);
}

function slowPhases({run, earlier}: SurpriseInput): Found {
  return (Object.entries(run.phases) as [keyof PhaseTimes, number | null][]).flatMap(([name, ms]) => {
    const before = medianOf(earlier.flatMap(({phases}) => phases[name] ?? []));
    if (ms === null || before === null || ms < 2 * before || ms - before < MUCH_LONGER_MS) return [];
    return [`the phase ${name.replace(/Ms$/, '')} took ${formatMs(ms)}, in earlier drills ${formatMs(before)}`];
  });
}

function loadAfter({load}: SurpriseInput): Found {
  if (load === null || Math.min(load.before.requests, load.after.requests) < FEWEST_REQUESTS) return [];
  const {before, after} = load;
  const slower =
    before.p95Ms !== null && after.p95Ms !== null && after.p95Ms > 1.5 * before.p95Ms && after.p95Ms - before.p95Ms >= CLEARLY_ABOVE_MS;
  const worse = before.errorRate !== null && after.errorRate !== null && after.errorRate - before.errorRate > CLEARLY_WORSE;
  return [
    ...(worse
      ? [`${percent(after.errorRate ?? 0)} of the requests fail after the drill, before it ${percent(before.errorRate ?? 0)}`]
      : []),
    ...(slower ? [`the p95 is ${formatMs(after.p95Ms)} after the drill, before it ${formatMs(before.p95Ms)}`] : []),
  ];
}

function stalls({witness}: SurpriseInput): Found {
  const longest = witness?.longestStallMs ?? null;
  if (longest === null || longest <= STALL_MS) return [];
  return [`our own process stood still for up to ${formatMs(longest)}, so that a gap may be its own by that much`];
}

/** Also why the losses of a drill that failed for something else are not known. */
function troubles({plan, events, stores}: SurpriseInput): Found {
  const progress = progressOf(plan, events);
  const results = allSteps(plan)
    .filter((step) => step.do.action === 'witness.stop')
    .map((step) => stepProgress(progress, step).result)
    .filter(isRecord);
  const atTheDoor = textOrNull(results.at(-1)?.readBackTrouble);
  const ofStores = stores.flatMap(({store, trouble}) => (trouble === null ? [] : [`the witness of ${store}: ${trouble}`]));
  return [...(atTheDoor === null ? [] : [`what the front door has lost is not known: ${atTheDoor}`]), ...ofStores];
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

function allSteps({steps, always}: Plan): readonly Step[] {
  return [...steps, ...always];
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
