import type {ProbeResult} from '../../lib/ports/probe.ts';
import type {Target, Vantage} from '../../lib/ports/vantage.ts';
import {faultsOf, live} from './probe.ts';
import {type Runner, within, worldTests} from './runner.ts';

/** A vantage point that works, one that does not, and what they are asked to look at. */
export type VantageWorld = {
  readonly vantage: Vantage;
  /** One of the same kind that nobody answers for: it is killed, or was never there. */
  readonly silent: Vantage;
  /** Well: of kind http with status 200, and of kind tcp. */
  readonly good: {readonly http: Target; readonly tcp: Target};
  /** It answers with another status than the target expects. */
  readonly wrong: Target;
  /** Nobody listens there. */
  readonly refusing: Target;
  /** It takes connections and never answers. */
  readonly hanging: Target;
  /** Passwords, tokens and the like that the vantage points are given: no result may hold one. */
  readonly secrets: readonly string[];
  close?(): Promise<void>;
};

/** How long a target may take. */
const TIMEOUT_MS = 1000;
/** Generous: a busy machine is no reason to fail. */
const LONGEST_MS = 6000;

/** What every vantage point must keep. `makeWorld` is called for each test. */
export function vantageContract(runner: Runner, makeWorld: () => Promise<VantageWorld>): void {
  runner.describe('vantage contract', () => {
    const {expect} = runner;
    const test = worldTests(runner, makeWorld);
    const look = (vantage: Vantage, target: Target): Promise<ProbeResult> => within(LONGEST_MS, vantage.check(target, TIMEOUT_MS, live()));

    test('sees what is well, each time, with the latency from there', async ({vantage, good}) => {
      for (const target of [good.http, good.tcp, good.http]) {
        const result = await look(vantage, target);
        expect(result).toMatchObject({ok: true, code: 'ok'});
        expect(faultsOf(result)).toEqual([]);
        expect(typeof result.latencyMs).toBe('number');
      }
    });

    test('sees what is not there, what never answers and what answers wrongly', async ({vantage, wrong, refusing, hanging}) => {
      const results = await Promise.all([wrong, refusing, hanging].map((target) => look(vantage, target)));
      expect(results.map(({ok}) => ok)).toEqual([false, false, false]);
      expect(results[0]?.code).toBe('unexpected-status');
      expect(results[2]?.code).toBe('timeout');
      expect(results.flatMap(faultsOf)).toEqual([]);
    });

    test('never says that an endpoint is down because it does not answer itself', async ({silent, good, refusing}) => {
      for (const target of [good.http, refusing]) {
        const result = await look(silent, target);
        expect(result.ok).toBe(null);
        expect(faultsOf(result)).toEqual([]);
      }
    });

    test('ends within the time of the target and its own grace', async ({vantage, hanging}) => {
      const began = Date.now();
      await look(vantage, hanging);
      expect(Date.now() - began < TIMEOUT_MS + vantage.graceMs + 1000).toBe(true);
      expect(vantage.graceMs >= 0).toBe(true);
    });

    test('ends when it is cancelled, and does not call the endpoint down for it', async ({vantage, hanging}) => {
      const cancel = new AbortController();
      const running = vantage.check(hanging, TIMEOUT_MS, cancel.signal);
      setTimeout(() => cancel.abort(new Error('cancelled')), 30);
      expect((await within(1030, running)).ok).toBe(null);
      expect((await within(1000, vantage.check(hanging, TIMEOUT_MS, AbortSignal.abort(new Error('cancelled'))))).ok).toBe(null);
    });

    test('looks at several at once, each for itself', async ({vantage, good, refusing, hanging}) => {
      const results = await Promise.all([good.http, refusing, good.tcp, hanging, good.http].map((target) => look(vantage, target)));
      expect(results.map(({ok}) => ok)).toEqual([true, false, true, false, true]);
    });

    test('keeps secrets out of its results', async ({vantage, silent, good, refusing, secrets}) => {
      const results = await Promise.all([look(vantage, good.http), look(vantage, refusing), look(silent, good.http)]);
      const said = JSON.stringify(results);
      expect(secrets.filter((secret) => said.includes(secret)).length).toBe(0);
    });
  });
}
