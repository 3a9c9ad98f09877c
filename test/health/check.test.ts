import {describe, expect, it} from 'vitest';
import {checkHealth} from '../../src/lib/health/check.ts';
import {waitForHealth} from '../../src/lib/health/wait.ts';
import {formatHealth} from '../../src/lib/output/health-formats.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {healthSchema} from '../../src/lib/output/schemas/health.ts';
import {mapMemory} from './memory.ts';
import {realClock as clock} from './real-clock.ts';
import {endpoint, fleet, REFUSED, region} from './samples.ts';

const GOOD = {ok: true, latencyMs: 3, code: 'ok', detail: 'fine'};
const [us, eu] = [endpoint('app', 'us'), endpoint('app', 'eu')];
const memory = mapMemory();
const signal = new AbortController().signal;
const attempts = {fall: 1, pauseMs: 1};
const open = (usSays: object, euSays: object) => ({
  fleet: fleet([region('us', [us]), region('eu', [eu])]),
  clock,
  probes: [
    {endpoint: us, probe: {check: async () => ({...GOOD, ...usSays})}},
    {endpoint: eu, probe: {check: async () => ({...GOOD, ...euSays})}},
  ],
  state: async () => memory,
});

describe('check', () => {
  it('goes down and comes back over the same memory', async () => {
    const seen = [];
    for (const says of [{}, REFUSED, {}, {}]) {
      const {document, exit} = await checkHealth(open({}, says), {signal, attempts});
      expect(healthSchema.parse(document)).toEqual(document);
      seen.push([document.verdict, exit]);
    }
    expect(seen).toEqual([
      ['healthy', 0],
      ['unhealthy', 2],
      ['recovering', 1],
      ['healthy', 0],
    ]);
  });

  it('is 3 when cut off from here', async () => {
    const {document, exit} = await checkHealth(open(REFUSED, REFUSED), {signal, attempts});
    expect([document.verdict, document.code, exit]).toEqual(['unknown', 'cut-off', 3]);
  });

  it('looks at one region only, and knows which there are', async () => {
    const {document, exit} = await checkHealth(open({}, REFUSED), {signal, attempts, region: 'us'});
    expect([document.regions.length, exit]).toEqual([1, 0]);
    await expect(checkHealth(open({}, {}), {signal, region: 'mars'})).rejects.toMatchObject({exit: 64});
  });

  it('tells our own outage from that of the one region that is asked for', async () => {
    const ours = await checkHealth(open(REFUSED, REFUSED), {signal, attempts, region: 'us'});
    expect([ours.document.verdict, ours.document.code, ours.document.regions.map(({region: name}) => name)]).toEqual([
      'unknown',
      'cut-off',
      ['us'],
    ]);
    const theirs = await checkHealth(open(REFUSED, {}), {signal, attempts, region: 'us'});
    expect([theirs.document.verdict, theirs.exit]).toEqual(['unhealthy', 2]);
  });

  it('a state that cannot be opened costs `since`, not the verdict', async () => {
    const shut = {...open({}, {}), state: async () => Promise.reject(new Error('disk full'))};
    const {document, exit} = await checkHealth(shut, {signal, attempts});
    expect([document.notes, exit]).toEqual([['since when is not known: disk full'], 0]);
    const options = {columns: 80, paint: plainPaint(), now: clock.wall()};
    expect(formatHealth(document, 'text', options)).toMatch(/- since when is not known: disk full$/);
    expect(formatHealth(document, 'nagios', options)).toMatch(/^REGIONCTL OK/);
  });

  it('rejects with the reason when it is cancelled', async () => {
    await expect(checkHealth(open({}, {}), {signal: AbortSignal.abort(new Error('interrupted'))})).rejects.toThrow('interrupted');
  });
});

describe('waiting', () => {
  /** A fleet whose eu says one thing after another, and the last one for ever. */
  const changing = (...answers: readonly object[]) => {
    let asked = 0;
    const check = async () => ({...GOOD, ...answers[Math.min(asked++, answers.length - 1)]});
    const memory = mapMemory();
    const still = open({}, {});
    return {...still, state: async () => memory, probes: [still.probes[0]!, {endpoint: eu, probe: {check}}]};
  };
  const wait = {signal, attempts, timeoutMs: 5000, everyMs: 1} as const;

  it('ends when it is as good as wanted, and tells each change once', async () => {
    const said: string[] = [];
    const onChange = (says: string) => said.push(says.split(':')[0] ?? '');
    const {document, exit} = await waitForHealth(changing(REFUSED, REFUSED, {}, {}), {...wait, want: 'healthy', onChange});
    expect([document.verdict, exit, document.notes]).toEqual(['healthy', 0, []]);
    expect(said).toEqual(['unhealthy', 'recovering', 'healthy']);
    const enough = await waitForHealth(changing(REFUSED, {}), {...wait, want: 'degraded'});
    expect([enough.document.verdict, enough.exit]).toEqual(['recovering', 1]);
  });

  it('ends with the last look when the time is over, and says so', async () => {
    const {document, exit} = await waitForHealth(changing(REFUSED), {...wait, want: 'healthy', timeoutMs: 30, everyMs: 10});
    expect([document.verdict, exit, document.notes]).toEqual(['unhealthy', 2, ['it was not healthy within 30 ms']]);
  });

  it('looks once more when the time is over, however long it rests', async () => {
    const {document} = await waitForHealth(changing(REFUSED, {}, {}), {...wait, want: 'degraded', timeoutMs: 30, everyMs: 60_000});
    expect([document.verdict, document.notes]).toEqual(['recovering', []]);
  });

  it('ends when it is cancelled', async () => {
    const stop = new AbortController();
    const waiting = waitForHealth(changing(REFUSED), {...wait, want: 'healthy', signal: stop.signal, everyMs: 1000});
    setTimeout(() => stop.abort(new Error('interrupted')), 20);
    await expect(waiting).rejects.toThrow('interrupted');
  });
});

it('prints a line for each endpoint, each region and the fleet', async () => {
  const {document} = await checkHealth(open({}, REFUSED), {signal, attempts});
  const lines = formatHealth(document, 'ndjson', {columns: 80, paint: plainPaint(), now: 0})
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({type, region}) => [type, region])).toEqual([
    ['endpoint', 'us'],
    ['endpoint', 'eu'],
    ['region', 'us'],
    ['region', 'eu'],
    ['fleet', undefined],
  ]);
  expect(lines[1]).toMatchObject({endpoint: 'app', verdict: 'unhealthy', code: 'refused'});
  expect(lines[4]).toMatchObject({fleet: 'lab', verdict: 'unhealthy', regions: 2});
});
