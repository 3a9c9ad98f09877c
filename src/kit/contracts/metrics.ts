import type {Metrics, MetricsAnswer, MetricsRange} from '../../lib/ports/metrics.ts';
import {outcomeOf, type Runner, verdictOf, within, worldTests} from './runner.ts';

/** A source of series that works, what to ask it, and others of the same kind whose other side fails, where they have one. */
export type MetricsWorld = {
  readonly metrics: Metrics;
  /** It has series for this in the range: ten readings or more in one of them, the last of them in its second half. */
  readonly query: string;
  readonly range: MetricsRange;
  /** It matches nothing. Absent = there is no such query. */
  readonly empty?: string;
  /** It is refused. Absent = every text is a query. */
  readonly wrong?: string;
  /** There is no other side. Absent = it has none. */
  readonly unreachable?: Metrics;
  /** The other side takes connections and never answers. Absent = it has none. */
  readonly hanging?: Metrics;
  /** Passwords, tokens and the like that the sources are given: no answer and no error may hold one. */
  readonly secrets: readonly string[];
  close?(): Promise<void>;
};

/** Generous: a busy machine is no reason to fail. */
const AT_ONCE_MS = 3000;
const LONGEST_MS = 20_000;

/** What every source of series must keep. `makeWorld` is called for each test. */
export function metricsContract(runner: Runner, makeWorld: () => Promise<MetricsWorld>): void {
  runner.describe('metrics contract', () => {
    answers(runner, makeWorld);
    failures(runner, makeWorld);
  });
}

function answers(runner: Runner, makeWorld: () => Promise<MetricsWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('answers with readings of the range, each at a time and with its labels', async ({metrics, query, range}) => {
    const {sets, remarks} = await ask(metrics, query, range);
    expect(Math.max(0, ...sets.map(({readings}) => readings.length)) >= 10).toBe(true);
    for (const {labels, readings} of sets) {
      expect(readings.every(({at, value}) => at >= range.from && at <= range.to && typeof value === 'number')).toBe(true);
      expect(Object.values(labels).every((value) => typeof value === 'string')).toBe(true);
    }
    const keys = sets.map(({labels}) => JSON.stringify(Object.entries(labels).toSorted()));
    expect(new Set(keys).size).toBe(keys.length);
    expect(remarks.every((remark) => remark.trim() !== '')).toBe(true);
  });

  test('answers the same again, and to several at once', async ({metrics, query, range}) => {
    const first = await ask(metrics, query, range);
    expect(await Promise.all([1, 2, 3].map(() => ask(metrics, query, range)))).toEqual([first, first, first]);
  });

  test('answers with what lies in a shorter range only', async ({metrics, query, range}) => {
    const middle = range.from + Math.floor((range.to - range.from) / 2 / range.stepMs) * range.stepMs;
    const [all, half] = [await ask(metrics, query, range), await ask(metrics, query, {...range, from: middle})];
    const times = ({sets}: MetricsAnswer): number[] => sets.flatMap(({readings}) => readings.map(({at}) => at)).toSorted((a, b) => a - b);
    expect(times(half)).toEqual(times(all).filter((at) => at >= middle));
    expect(times(half).length > 0).toBe(true);
  });

  test('has nothing where there is nothing, and that is no error', async ({metrics, query, empty, range}) => {
    const long = 400 * 86_400_000;
    expect((await ask(metrics, query, {...range, from: range.from - 10 * long, to: range.from - 9 * long, stepMs: long})).sets).toEqual([]);
    if (empty !== undefined) expect((await ask(metrics, empty, range)).sets).toEqual([]);
  });
}

function failures(runner: Runner, makeWorld: () => Promise<MetricsWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('refuses a query that is none, and says so', async ({metrics, wrong, range}) => {
    if (wrong !== undefined) expect(await verdictOf(() => ask(metrics, wrong, range))).toBe('refused');
  });

  test('answers nobody who has cancelled', async ({metrics, query, range}) => {
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    expect(await refusal(metrics, query, range, cancelled)).toBe('cancelled');
  });

  test('ends with the reason when it is cancelled under way', async ({hanging, query, range}) => {
    if (hanging === undefined) return;
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error('it took too long')), 30);
    expect(await refusal(hanging, query, range, cancel.signal)).toBe('it took too long');
  });

  test('says so when nobody is there to ask', async ({unreachable, query, range}) => {
    if (unreachable === undefined) return;
    expect(await outcomeOf(() => ask(unreachable, query, range))).toMatchObject({refused: true, exit: 69});
  });

  test('can be closed, also twice', async ({metrics, query, range}) => {
    await ask(metrics, query, range);
    await metrics.close?.();
    expect(await outcomeOf(() => within(AT_ONCE_MS, (async () => metrics.close?.())()))).toEqual({refused: false});
  });

  test('keeps secrets out of its answers and errors', async ({metrics, unreachable, query, wrong, range, secrets}) => {
    const asked = [metrics, ...(unreachable === undefined ? [] : [unreachable])];
    const queries = [query, ...(wrong === undefined ? [] : [wrong])];
    const ended = await Promise.all(
      asked.flatMap((source) =>
        queries.map(async (each) => {
          const outcome = await outcomeOf(() => ask(source, each, range));
          return outcome.refused ? outcome : ask(source, each, range);
        }),
      ),
    );
    const said = JSON.stringify(ended);
    expect(secrets.filter((secret) => said.includes(secret)).length).toBe(0);
  });
}

function ask(metrics: Metrics, query: string, range: MetricsRange): Promise<MetricsAnswer> {
  return within(LONGEST_MS, metrics.series(query, range, AbortSignal.timeout(LONGEST_MS)));
}

/** With what it ended; `it answered` = it did not. */
async function refusal(metrics: Metrics, query: string, range: MetricsRange, signal: AbortSignal): Promise<string> {
  const outcome = await outcomeOf(() => within(AT_ONCE_MS, metrics.series(query, range, signal)));
  return outcome.refused ? (outcome.message ?? '') : 'it answered';
}
