import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {drillActions} from '../../src/lib/drill/actions.ts';
import {type LoadWays, loadKit} from '../../src/lib/drill/load-actions.ts';
import {judgeNow, percentText} from '../../src/lib/drill/load-check.ts';
import {judgeLoad, loadRow} from '../../src/lib/drill/load-row.ts';
import type {LoadPart, LoadRow} from '../../src/lib/drill/report.ts';
import {call, step} from '../../src/lib/failover/steps.ts';
import type {Action, Ctx} from '../../src/lib/plan/action.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {StartGenerator} from '../../src/lib/ports/generator.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {resumeRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {startLoad} from '../../src/lib/witness/load.ts';
import {type LoadLine, parseLoadLog} from '../../src/lib/witness/load-log.ts';
import {freeLease, memoryState} from '../run/memory-state.ts';
import {startLoadServer, status} from '../witness/load-server.ts';
import {drillPlan, drillText, FLEET, nobody, wellSenses} from './plans.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'load-drill-'));
});
afterEach(() => rm(dir, {recursive: true}));

function kitWith(load: Partial<LoadWays> = {}) {
  const life = new AbortController();
  const clock = systemClock();
  const ways: LoadWays = {generator: null, scrub: (text) => text, start: startLoad, ...load};
  const kit = loadKit({load: ways, witness: {dir, life: life.signal}, clock});
  const ctx: Ctx = {runId: 'run-1', token: 't', signal: life.signal, now: clock.now, deadline: clock.now() + 10_000};
  const find = (name: string) => kit.actions.find((one) => one.name === name) ?? expect.unreachable(name);
  return {
    kit,
    life,
    look: (name: string, args: Json) => find(name).look(ctx, {}, find(name).parse(args)),
    apply: (name: string, args: Json) => find(name).apply(ctx, {}, find(name).parse(args)),
    describe: (name: string, args: Json) => find(name).describe({}, find(name).parse(args)),
    parse: (args: Json) => find('load.start').parse(args),
    ask: (name: string, want: Json) => kit.checks.find((one) => one.name === name)?.ask(ctx, {}, want, 'any'),
  };
}

describe('load.start, load.phase and load.stop', () => {
  it('measure what clients felt in each part, once', async () => {
    const server = await startLoadServer(20_880);
    const args = {kind: 'built-in', url: server.url, rate: 200, deadlineMs: 1000};
    const {kit, look, apply, ask} = kitWith();
    const arrived = (more: number) => {
      const from = server.arrived.length;
      return vi.waitUntil(() => server.arrived.length >= from + more, {timeout: 5000, interval: 2});
    };
    expect(await look('load.start', args)).toBe('before');
    expect(await look('load.stop', {})).toBe('done');
    expect(await ask('load.running', true)).toMatchObject({holds: false});
    expect(await ask('load.rate', {errorRateBelow: 1})).toMatchObject({holds: null, says: 'the load does not run'});
    await apply('load.start', args);
    await apply('load.start', args);
    expect(await look('load.start', args)).toBe('done');
    expect(await ask('load.running', true)).toMatchObject({holds: true});
    await arrived(20);
    expect(await look('load.phase', {phase: 'during'})).toBe('before');
    await apply('load.phase', {phase: 'during'});
    // What was sent before is answered before the server fails.
    await arrived(10);
    server.state.script = status(503);
    expect(await look('load.phase', {phase: 'during'})).toBe('done');
    await arrived(20);
    await vi.waitUntil(() => (kit.now()?.errors ?? 0) > 10, {timeout: 5000, interval: 2});
    expect(await ask('load.rate', {errorRateAbove: 0.1})).toMatchObject({holds: true});
    expect(await ask('load.rate', {errorRateBelow: 0.1})).toMatchObject({holds: false, says: expect.stringMatching(/% of the requests/)});
    await apply('load.phase', {phase: 'after'});
    expect(await look('load.stop', {})).toBe('before');
    const row = (await apply('load.stop', {})) as unknown as LoadRow;
    expect(row).toMatchObject({kind: 'built-in', before: {errors: 0, p95Ms: expect.any(Number)}});
    expect(row.during.errors).toBeGreaterThan(15);
    expect(row.says).toContain('× a wrong status (503)');
    expect(await look('load.stop', {})).toBe('done');
    expect(kit.now()).toBeNull();
    await server.close();
  });

  it('go on in another process: the parts are known, and what was measured is told', async () => {
    const server = await startLoadServer(20_880);
    const args = {kind: 'built-in', url: server.url, rate: 100, deadlineMs: 500};
    const first = kitWith();
    await first.apply('load.start', args);
    await vi.waitUntil(() => server.arrived.length > 5, {timeout: 5000, interval: 2});
    await first.apply('load.phase', {phase: 'during'});
    first.life.abort();
    await first.apply('load.stop', {});
    const second = kitWith();
    // The first may have died with its result.
    expect(await second.look('load.stop', {})).toBe('before');
    expect(await second.look('load.phase', {phase: 'during'})).toBe('done');
    expect(await second.look('load.phase', {phase: 'after'})).toBe('before');
    // It does not run here, but the mark counts for whoever starts it again.
    await second.apply('load.phase', {phase: 'after'});
    expect(await second.look('load.phase', {phase: 'after'})).toBe('done');
    await second.apply('load.start', args);
    const before = server.arrived.length;
    await vi.waitUntil(() => server.arrived.length > before + 5, {timeout: 5000, interval: 2});
    const row = (await second.apply('load.stop', {})) as unknown as LoadRow;
    expect(row.before.requests).toBeGreaterThan(0);
    expect(row.after.requests).toBeGreaterThan(0);
    expect(row.says).toMatch(/it did not run for .+ from \d{4}-/);
    await server.close();
  });

  it('that have stopped the load are not begun again by a drill that is resumed after that', async () => {
    const server = await startLoadServer(20_880);
    const drill = drillPlan(`${drillText}load: {url: "${server.url}", rate: 100}\n`);
    const ofLoad = drill.steps.filter(({id}) => id === 'load-start' || id === 'load-stop');
    const steady = step({
      id: 'steady',
      phase: 'converge',
      title: 'be steady',
      do: call('steady', {}),
      after: ['load-stop'],
      onFailure: 'stop',
    });
    const plan = {
      ...drill,
      gates: [],
      steps: [...ofLoad.map((each) => ({...each, after: []})), steady],
      always: drill.always.filter(({id}) => id === 'load-end'),
    };
    const [state, clock] = [memoryState(systemClock()), systemClock()];
    state.createRun('run-1', 'lab', plan);
    let starts = 0;
    const process = (isSteady: boolean) => {
      const {kit} = kitWith({
        start: (options) => {
          starts += 1;
          return startLoad(options);
        },
      });
      const apply = async () => {
        if (!isSteady) throw new Error('it is not');
        return null;
      };
      const look: Action = {
        name: 'steady',
        v: 1,
        effect: 'none',
        parse: (args) => args,
        describe: () => 'look',
        look: async () => 'before',
        apply,
      };
      const signal = new AbortController().signal;
      return {
        runId: 'run-1',
        state,
        lease: freeLease(),
        clock,
        signal,
        actions: new ActionRegistry([...kit.actions, look]),
        checks: new CheckRegistry(kit.checks),
      };
    };
    expect(await runPlan({...process(false), plan})).toMatchObject({outcome: 'failed'});
    expect(await resumeRun(process(true))).toMatchObject({outcome: 'succeeded'});
    expect(starts).toBe(1);
    await server.close();
  });

  it('are among the actions of a drill', () => {
    const kit = drillActions({
      faults: null,
      ...nobody,
      senses: wellSenses(),
      witness: {dir, fleet: FLEET, life: new AbortController().signal},
      clock: systemClock(),
    });
    expect(kit.actions.map(({name}) => name)).toEqual(expect.arrayContaining(['load.start', 'load.phase', 'load.stop']));
    expect(kit.checks.map(({name}) => name)).toEqual(expect.arrayContaining(['load.rate', 'load.running']));
    expect(kit.loadNow()).toBeNull();
  });

  it('mark nothing and tell nothing when no load was started', async () => {
    const {apply, look} = kitWith();
    expect(await apply('load.phase', {phase: 'after'})).toMatchObject({says: 'no load was started'});
    expect(await look('load.stop', {})).toBe('done');
    expect(await apply('load.stop', {})).toBeNull();
  });

  it('run a program with the run and the drill in its environment', async () => {
    const generator = vi.fn<StartGenerator>(async ({onLine}) => {
      onLine(`${Date.now()} 12 ok`);
      return {ended: new Promise<string>(() => undefined), stop: async () => undefined};
    });
    const {apply, describe: say} = kitWith({generator});
    const args = {kind: 'exec', command: ['./load', '--key=s3cret'], timeoutMs: 1000, drill: 'region-lost', cwd: '/drills'};
    await apply('load.start', args);
    expect(generator.mock.calls[0]?.[0]).toMatchObject({
      command: ['./load', '--key=s3cret'],
      cwd: '/drills',
      timeoutMs: 1000,
      env: {REGIONCTL_RUN: 'run-1', REGIONCTL_DRILL: 'region-lost'},
    });
    expect(say('load.start', args)).toBe('load the service: by ./load');
    await expect(kitWith().apply('load.start', args)).rejects.toMatchObject({code: 'load-failed', exit: 69});
  });
});

describe('the arguments of load.start', () => {
  const url = 'http://ann:s3cret@shop.example/orders';

  it('have defaults, and hide the password of their URL', () => {
    const {parse, describe: say} = kitWith();
    expect(parse({kind: 'built-in', url, deadlineMs: 2000})).toMatchObject({method: 'GET', body: null, rate: 20, expectStatus: null});
    expect(say('load.start', {kind: 'built-in', url, deadlineMs: 2000})).toBe(
      'load the service: GET http://shop.example/orders 20 times a second',
    );
  });

  it.each<[string, {[key: string]: Json}]>([
    ['url', {url: 'ftp://shop.example'}],
    ['url', {url: 'shop'}],
    ['body', {method: 'GET', body: 'x'}],
    ['rate', {rate: 501}],
    ['rate', {rate: 0}],
    ['deadlineMs', {rate: 500, deadlineMs: 5000}],
    ['expectStatus', {expectStatus: []}],
    ['kind', {kind: 'k6'}],
  ])('are wrong with a bad %s', (field, more) => {
    expect(() => kitWith().parse({kind: 'built-in', url, deadlineMs: 2000, ...more})).toThrow(
      new RegExp(`load\\.start are wrong: ${field}`),
    );
    expect(() => kitWith().parse({kind: 'built-in', url, deadlineMs: 2000, ...more})).not.toThrow(/s3cret/);
  });
});

describe('load.rate', () => {
  const now = {requests: 200, errors: 10, errorRate: 0.05, p95Ms: 340};

  it('compares the last five seconds with one bound', async () => {
    expect(judgeNow(now, {errorRateBelow: 0.1})).toEqual({
      holds: true,
      measured: 0.05,
      says: '5 % of the requests of the last 5 s failed (10 of 200)',
    });
    expect(judgeNow(now, {errorRateBelow: 0.05}).holds).toBe(false);
    expect(judgeNow(now, {errorRateAbove: 0.05}).holds).toBe(false);
    expect(judgeNow(now, {p95BelowMs: 340}).holds).toBe(false);
    expect(judgeNow(now, {p95AboveMs: 300})).toMatchObject({
      holds: true,
      measured: 340,
      says: expect.stringContaining('no longer than 340 ms'),
    });
    await expect(kitWith().ask('load.rate', {errorRateBelow: 2})).rejects.toMatchObject({code: 'usage'});
    await expect(kitWith().ask('load.rate', {errorRateBelow: 1, p95BelowMs: 1})).rejects.toMatchObject({code: 'usage'});
  });

  it('tells nothing from fewer than ten requests', () => {
    const few = {requests: 9, errors: 9, errorRate: null, p95Ms: null};
    expect(judgeNow(few, {errorRateAbove: 0.1})).toMatchObject({holds: null, says: 'fewer than 10 requests ended in the last 5 s'});
    expect(judgeNow(few, {p95AboveMs: 1}).holds).toBeNull();
  });

  it('never shows some as none or as all', () => {
    expect([0, 0.0001, 0.031, 0.9999, 1, null].map(percentText)).toEqual([
      '0 %',
      'less than 0.1 %',
      '3.1 %',
      'more than 99.9 %',
      '100 %',
      '–',
    ]);
  });
});

describe('judgeLoad', () => {
  const part = (errorRate: number | null, p95Ms: number | null): LoadPart => ({
    requests: 9,
    errors: 0,
    errorRate,
    p95Ms,
    p50Ms: null,
    maxMs: null,
  });
  const row: LoadRow = {kind: 'built-in', says: '', before: part(0, 12), during: part(0.2, null), after: part(null, null)};

  it('keeps what is not above its target, and neither keeps nor misses what was not measured', () => {
    const objectives = [
      {phase: 'before', kind: 'errorRate', target: 0},
      {phase: 'before', kind: 'p95', target: 11},
      {phase: 'during', kind: 'errorRate', target: 0.2},
      {phase: 'during', kind: 'p95', target: 100},
      {phase: 'after', kind: 'errorRate', target: 1},
    ] as const;
    expect(judgeLoad(objectives, row).map(({measured, met}) => [measured, met])).toEqual([
      [0, true],
      [12, false],
      [0.2, true],
      [null, null],
      [null, null],
    ]);
    expect(judgeLoad(objectives, null).every(({measured, met}) => measured === null && met === null)).toBe(true);
    expect(judgeLoad(objectives, row)[1]).toEqual({phase: 'before', kind: 'p95', target: 11, measured: 12, met: false});
  });
});

describe('a load that did not run to its end', () => {
  const at = Date.parse('2026-01-01T00:00:00Z');
  const objectives = (['before', 'during', 'after'] as const).map((phase) => ({phase, kind: 'errorRate' as const, target: 0.1}));
  const met = (lines: readonly LoadLine[]) =>
    judgeLoad(objectives, loadRow(parseLoadLog(lines.map((line) => JSON.stringify(line)).join('\n')))).map((one) => one.met);
  const good = (n: number, end: 'ok' | 'error' = 'ok'): LoadLine => ({n, at: at + n, sent: at + n, ms: 1, end});
  const open: LoadLine = {mark: 'open', at, kind: 'exec', what: 'gen'};
  const marks: LoadLine[] = [
    {mark: 'phase', at: at + 10, phase: 'during'},
    {mark: 'phase', at: at + 1000, phase: 'after'},
  ];
  const gone: LoadLine[] = [
    {mark: 'gone', at: at + 20, says: 'gen ended with exit code 1'},
    {mark: 'close', at: at + 20, left: 0},
  ];

  it('keeps no objective of a part in which its program ended: from then on every request may have failed', () => {
    expect(met([open, good(1), ...marks.slice(0, 1), good(11), ...gone, ...marks.slice(1)])).toEqual([true, null, null]);
  });

  it('has missed one all the same that was missed by what it saw', () => {
    expect(met([open, good(1), ...marks.slice(0, 1), good(11, 'error'), ...gone, ...marks.slice(1)])).toEqual([true, false, null]);
  });

  it('keeps none of a part in which its process died and another one went on', () => {
    const again: LoadLine[] = [
      {...open, at: at + 500} as LoadLine,
      good(600),
      ...marks.slice(1),
      good(1100),
      {mark: 'close', at: at + 2000, left: 0},
    ];
    expect(met([open, good(1), ...marks.slice(0, 1), good(11), ...again])).toEqual([true, null, true]);
  });

  it('keeps all of them when it was stopped', () => {
    const lines = [open, good(1), ...marks, good(11), good(1100), {mark: 'close' as const, at: at + 2000, left: 0}];
    expect(met(lines)).toEqual([true, true, true]);
  });
});

describe('the row of a load', () => {
  it('says everything that bears on its figures', () => {
    const at = Date.parse('2026-01-01T00:00:00Z');
    const lines: LoadLine[] = [
      {mark: 'open', at, kind: 'built-in', what: 'GET http://x/, 20 a second'},
      {n: 0, at, sent: at, ms: 12, end: 'ok'},
      {mark: 'phase', at: at + 10, phase: 'during'},
      {n: 1, at: at + 20, sent: at + 20, ms: 3, end: 'status', text: '503'},
      {n: 2, at: at + 30, sent: at + 30, ms: 3, end: 'status', text: '502'},
      {n: 3, at: at + 40, sent: at + 40, ms: 3, end: 'status', text: '503'},
      {n: 4, at: at + 50, sent: at + 50, ms: 3, end: 'refused'},
      {mark: 'stall', from: at + 60, to: at + 160, late: 2},
      {n: 5, at: at + 70, sent: at + 70, ms: 90, end: 'reset', held: true},
      {mark: 'unfit', count: 1, first: 'what?'},
      {mark: 'open', at: at + 2160, kind: 'built-in', what: 'GET http://x/, 20 a second'},
    ];
    const row = loadRow(parseLoadLog(lines.map((line) => JSON.stringify(line)).join('\n')));
    expect(row?.says.split('. ')).toEqual([
      'GET http://x/, 20 a second: 5 requests',
      'errors during the fault: 3 × a wrong status (503, 502), 1 × connection refused',
      'times count from when a request should have left',
      'regionctl stood still 1 time for 100 ms in all: 2 not sent, 0 not timed',
      '1 request not judged, because regionctl stood still or ended',
      'it did not run for 2 s from 2026-01-01T00:00:00.160Z on',
      'nothing is known after 2026-01-01T00:00:02.160Z',
      '1 line could not be read, the first: what?',
    ]);
    expect(row?.during).toEqual({requests: 4, errors: 4, errorRate: 1, p50Ms: null, p95Ms: null, maxMs: null, whole: false});
    expect(loadRow(parseLoadLog(''))).toBeNull();
  });
});
