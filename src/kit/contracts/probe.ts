import type {Probe, ProbeResult} from '../../lib/ports/probe.ts';
import {type Runner, within, worldTests} from './runner.ts';

/** Three endpoints, each with its probe, all of one kind. */
export type ProbeWorld = {
  /** Of an endpoint that is well. */
  readonly healthy: Probe;
  /** Of an endpoint that is not there, such as a port on which nobody listens. */
  readonly refusing: Probe;
  /** Of an endpoint that never answers. The timeout of this probe must lie between 300 ms and 3 s. */
  readonly hanging: Probe;
  /** Passwords, tokens and the like that the probes are given: no result may hold one. */
  readonly secrets: readonly string[];
  close?(): Promise<void>;
};

/** Generous: a busy machine is no reason to fail, and a probe that ignores the signal is found by its verdict. */
const AT_ONCE_MS = 1000;
const LONGEST_MS = 5000;

/** What every probe must keep. `makeWorld` is called for each test. */
export function probeContract(runner: Runner, makeWorld: () => Promise<ProbeWorld>): void {
  runner.describe('probe contract', () => {
    verdicts(runner, makeWorld);
    cancelling(runner, makeWorld);
    secrecy(runner, makeWorld);
  });
}

function verdicts(runner: Runner, makeWorld: () => Promise<ProbeWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('says ok with a latency of what is well, each time it is asked', async ({healthy}) => {
    for (let time = 0; time < 2; time += 1) {
      const result = await healthy.check(live());
      expect(result).toMatchObject({ok: true, code: 'ok'});
      expect(faultsOf(result)).toEqual([]);
      expect(typeof result.latencyMs).toBe('number');
    }
  });

  test('fails, and does not throw, for what is not there', async ({refusing}) => {
    for (let time = 0; time < 2; time += 1) {
      const result = await within(LONGEST_MS, refusing.check(live()));
      expect(result.ok).toBe(false);
      expect(faultsOf(result)).toEqual([]);
    }
  });

  test('fails by its own deadline for what never answers', async ({hanging}) => {
    const result = await within(LONGEST_MS, hanging.check(new AbortController().signal));
    expect(result.ok).toBe(false);
    expect(faultsOf(result)).toEqual([]);
  });

  test('answers several checks at once', async ({healthy}) => {
    const results = await Promise.all([1, 2, 3, 4].map(() => healthy.check(live())));
    expect(results.map(({ok}) => ok)).toEqual([true, true, true, true]);
  });
}

function cancelling(runner: Runner, makeWorld: () => Promise<ProbeWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('ends when it is cancelled, and does not call the endpoint down for it', async ({hanging}) => {
    const cancel = new AbortController();
    const running = hanging.check(cancel.signal);
    setTimeout(() => cancel.abort(new Error('cancelled')), 30);
    const result = await within(30 + AT_ONCE_MS, running);
    expect(result.ok).toBe(null);
    expect(faultsOf(result)).toEqual([]);
  });

  test('ends at once when it was cancelled before it began', async ({hanging}) => {
    const result = await within(AT_ONCE_MS, hanging.check(AbortSignal.abort(new Error('cancelled'))));
    expect(result.ok).toBe(null);
    expect(faultsOf(result)).toEqual([]);
  });

  test('is good for another check after one was cancelled', async ({healthy}) => {
    const [cancelled, kept] = await Promise.all([healthy.check(AbortSignal.abort(new Error('cancelled'))), healthy.check(live())]);
    expect([cancelled.ok, kept.ok]).toEqual([null, true]);
    expect((await healthy.check(live())).ok).toBe(true);
  });
}

function secrecy(runner: Runner, makeWorld: () => Promise<ProbeWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('keeps secrets out of its results', async ({healthy, refusing, hanging, secrets}) => {
    const results = await Promise.all([healthy, refusing, hanging].map((probe) => probe.check(live())));
    const said = JSON.stringify(results);
    expect(secrets.filter((secret) => said.includes(secret)).length).toBe(0);
  });

  test('gives facts that survive JSON', async ({healthy}) => {
    const {facts = null} = await healthy.check(live());
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
  });
}

/** What is wrong with the form of a result. */
export function faultsOf({ok, latencyMs, code, detail}: ProbeResult): string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [ok === true || ok === false || ok === null, `ok is ${String(ok)}`],
    [latencyMs === null || (Number.isFinite(latencyMs) && latencyMs >= 0), `latencyMs is ${String(latencyMs)}, not a number or null`],
    [typeof code === 'string' && /^[a-z][a-z0-9-]*$/.test(code), `code is ${JSON.stringify(code)}, not a word such as "refused"`],
    [(ok === true) === (code === 'ok'), `ok is ${String(ok)} and code is ${JSON.stringify(code)}`],
    [typeof detail === 'string' && detail.trim() !== '' && !detail.includes('\n'), `detail is ${JSON.stringify(detail)}, not a sentence`],
  ];
  return rules.filter(([kept]) => !kept).map(([, fault]) => fault);
}

/** A signal that outlasts any check. */
export function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
