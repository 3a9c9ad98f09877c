import {formatMs} from '../output/units.ts';
import type {Answer} from '../plan/action.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {RegionHealth} from '../snapshot/snapshot.ts';
import type {LoadNow} from '../witness/load-window.ts';
import type {SteadyCheck} from './arguments.ts';
import type {LoadWant} from './load-arguments.ts';
import {judgeNow} from './load-check.ts';

/** A link to a standby in region `to`, as `replication lag` judges it. `breaker` null = it has none that was looked at. */
export type LinkLook = {
  readonly store: string;
  readonly to: string;
  readonly state: string;
  readonly reason: string;
  readonly breaker: 'closed' | 'warn' | 'open' | null;
};

/** The clock of one member: how far it is ahead of ours, in ms (negative = behind); null = it did not tell. */
export type ClockLook = {readonly store: string; readonly member: string; readonly region: string; readonly offsetMs: number | null};

/** What a drill looks at the world by. `except`: regions that are left out. None of them throws for what the fleet does. */
export type Senses = {
  /** Every region of the fleet. */
  readonly regions: readonly string[];
  /** One fresh look at a region. */
  sampleHealth(region: string, signal: AbortSignal): Promise<Cell<RegionHealth>>;
  /** Whether the service accepts a write, asked where clients enter. */
  writable(signal: AbortSignal): Promise<Answer>;
  /** The largest replay lag in ms of any standby. */
  lagMs(except: readonly string[], signal: AbortSignal): Promise<Cell<number>>;
  /** Every link; each look is recorded as that of `replication lag`, so breakers open and close by it. */
  links(signal: AbortSignal): Promise<Cell<readonly LinkLook[]>>;
  /** The clock of every member of the stores that tell the time. */
  clocks(signal: AbortSignal): Promise<readonly ClockLook[]>;
  /** The region that holds the primary of each store; null = none is seen. */
  primaries(signal: AbortSignal): Promise<Readonly<Record<string, Cell<string | null>>>>;
  /** Runs a program: its exit code, null = it could not be run to its end. */
  exec(run: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<{readonly code: number | null; readonly says: string}>;
  /** Ms since the witness's last acknowledgement; null = it does not run, or has had none. */
  sinceAckMs(): number | null;
  /** The load of the last seconds; null = it does not run, or too few requests have ended. */
  loadNow(): LoadNow | null;
};

/** What became of one check. `holds` null = it could not be told. */
export type Said = {readonly check: string; readonly holds: boolean | null; readonly says: string};

/** Asks one check. What cannot be told does not hold. */
export async function askCheck(
  senses: Senses,
  check: SteadyCheck,
  except: readonly string[],
  signal: AbortSignal,
): Promise<readonly Said[]> {
  if ('health' in check) {
    const regions = senses.regions.filter((region) => !except.includes(region));
    return Promise.all(regions.map(async (region) => verdictSaid(region, ['healthy'], await senses.sampleHealth(region, signal))));
  }
  if ('verdict' in check) return [verdictSaid(check.region, check.verdict, await senses.sampleHealth(check.region, signal))];
  if ('link' in check || 'breaker' in check) return linkSaid(check, await senses.links(signal));
  if ('skewBelowMs' in check || 'skewAboveMs' in check) return [skewSaid(check, except, await senses.clocks(signal))];
  if ('primary' in check) return primarySaid(check, await senses.primaries(signal));
  return [await askPlain(senses, check, except, signal)];
}

type Skew = Extract<SteadyCheck, {skewBelowMs: unknown} | {skewAboveMs: unknown}>;
type Plain = Exclude<
  SteadyCheck,
  {health: unknown} | {verdict: unknown} | {link: unknown} | {breaker: unknown} | {primary: unknown} | Skew
>;

async function askPlain(senses: Senses, check: Plain, except: readonly string[], signal: AbortSignal): Promise<Said> {
  if ('writable' in check) {
    const {holds, says} = await senses.writable(signal);
    return {check: check.writable ? 'writable' : 'not writable', holds: holds === null ? null : holds === check.writable, says};
  }
  if ('exec' in check) {
    const {code, says} = await senses.exec(check.exec, check.timeoutMs, signal);
    return {check: check.exec.join(' '), holds: code === 0 ? true : code === 1 ? false : null, says};
  }
  if ('load' in check) return loadSaid(check.load, senses.loadNow());
  if ('noAckForMs' in check || 'ackWithinMs' in check) return ackSaid(check, senses.sinceAckMs());
  return lagSaid(check, await senses.lagMs(except, signal));
}

function verdictSaid(region: string, wanted: readonly string[], cell: Cell<RegionHealth>): Said {
  const check = wanted.length === 1 && wanted[0] === 'healthy' ? `health of ${region}` : `${region} ${wanted.join(' or ')}`;
  if (!cell.known) return {check, holds: null, says: `the state of ${region} is not known: ${cell.reason}`};
  return {check, holds: wanted.includes(cell.value.verdict), says: `${region} is ${cell.value.verdict}: ${cell.value.reason}`};
}

function lagSaid(limit: {lagBelowMs: number} | {lagAboveMs: number}, cell: Cell<number>): Said {
  const below = 'lagBelowMs' in limit;
  const limitMs = below ? limit.lagBelowMs : limit.lagAboveMs;
  const check = `lag ${below ? 'below' : 'above'} ${limitMs} ms`;
  if (!cell.known) return {check, holds: null, says: `the lag is not known: ${cell.reason}`};
  return {check, holds: below ? cell.value < limitMs : cell.value > limitMs, says: `the largest lag is ${Math.round(cell.value)} ms`};
}

/** One clock that is too far off decides; those that did not tell leave it open. */
function skewSaid(limit: Skew, except: readonly string[], all: readonly ClockLook[]): Said {
  const below = 'skewBelowMs' in limit;
  const limitMs = below ? limit.skewBelowMs : limit.skewAboveMs;
  const where = limit.region === null ? '' : ` in ${limit.region}`;
  const check = `clocks${where} ${below ? 'less' : 'more'} than ${formatMs(limitMs)} off`;
  const asked = all.filter(
    ({region, store}) =>
      (limit.region === null ? !except.includes(region) : region === limit.region) && (limit.store === null || store === limit.store),
  );
  const told = asked.flatMap(({member, offsetMs}) => (offsetMs === null ? [] : [{member, offsetMs}]));
  const worst = told.toSorted((a, b) => Math.abs(b.offsetMs) - Math.abs(a.offsetMs))[0];
  if (worst === undefined) return {check, holds: null, says: `no member of a store${where} told its time`};
  const off = Math.abs(worst.offsetMs);
  const says = `the clock of ${worst.member} is ${formatMs(Math.round(off))} ${worst.offsetMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const untold = asked.flatMap(({member, offsetMs}) => (offsetMs === null ? [member] : []));
  const beyond = below ? off >= limitMs : off > limitMs;
  if (beyond || untold.length === 0) return {check, holds: beyond !== below, says};
  return {check, holds: null, says: `${says}; ${untold.join(', ')} did not tell its time`};
}

function ackSaid(limit: {noAckForMs: number} | {ackWithinMs: number}, sinceMs: number | null): Said {
  const quiet = 'noAckForMs' in limit;
  const limitMs = quiet ? limit.noAckForMs : limit.ackWithinMs;
  const check = quiet ? `no acknowledgement for ${limitMs} ms` : `an acknowledgement within ${limitMs} ms`;
  if (sinceMs === null) return {check, holds: null, says: 'the witness does not write, or has had no acknowledgement yet'};
  const holds = quiet ? sinceMs >= limitMs : sinceMs <= limitMs;
  return {check, holds, says: `the last write was acknowledged ${Math.round(sinceMs)} ms ago`};
}

function loadSaid(want: LoadWant, now: LoadNow | null): Said {
  const [limit] = Object.entries(want).map(([name, value]) => `${name.replace(/Ms$/, '')} ${value}`);
  const {holds, says} = judgeNow(now, want);
  return {check: `load: ${limit}`, holds, says};
}

function linkSaid(check: Extract<SteadyCheck, {link: unknown} | {breaker: unknown}>, cell: Cell<readonly LinkLook[]>): readonly Said[] {
  const what = 'link' in check ? `link to ${check.region} ${check.link.join(' or ')}` : `breaker of ${check.region} ${check.breaker}`;
  if (!cell.known) return [{check: what, holds: null, says: `the links could not be read: ${cell.reason}`}];
  const links = cell.value.filter(({store, to}) => to === check.region && (check.store === null || store === check.store));
  if (links.length === 0) return [{check: what, holds: null, says: `there is no link to a standby in ${check.region}`}];
  return links.map(({store, state, reason, breaker}): Said => {
    if ('link' in check)
      return {check: what, holds: check.link.includes(state), says: `the link of ${store} to ${check.region} is ${state}: ${reason}`};
    const holds = breaker === null ? null : (breaker === 'open') === (check.breaker === 'open');
    return {check: what, holds, says: `the breaker of ${store} to ${check.region} is ${breaker ?? 'not known'}: ${reason}`};
  });
}

function primarySaid(
  {primary, store}: Extract<SteadyCheck, {primary: unknown}>,
  all: Readonly<Record<string, Cell<string | null>>>,
): readonly Said[] {
  const named = Object.entries(all).filter(([name]) => store === null || name === store);
  if (named.length === 0) return [{check: `primary in ${primary}`, holds: null, says: 'there is no store with a primary'}];
  return named.map(([name, cell]): Said => {
    const check = `primary of ${name} in ${primary}`;
    if (!cell.known) return {check, holds: null, says: `where the primary of ${name} is is not known: ${cell.reason}`};
    const says = cell.value === null ? `no primary of ${name} is seen` : `the primary of ${name} is in ${cell.value}`;
    return {check, holds: cell.value === null ? null : cell.value === primary, says};
  });
}
