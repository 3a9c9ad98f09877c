import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {planText, runListText, runText} from '../../src/lib/output/run-text.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {planDocument} from '../../src/lib/plan/plan-document.ts';
import type {JournalEvent} from '../../src/lib/ports/state.ts';
import {runDocument} from '../../src/lib/run/document.ts';

type Journal = {readonly runId: string; readonly plan: Plan; readonly events: readonly JournalEvent[]};
const {runId, plan, events} = JSON.parse(readFileSync(join(import.meta.dirname, '../run/fixtures/journal-v1.json'), 'utf8')) as Journal;
const layout = {columns: 80, paint: plainPaint(), now: 1_800_000_600_000};

describe('a run', () => {
  it('reads like this', () => {
    expect(runText(runDocument(runId, plan, events, false), layout)).toMatchInlineSnapshot(`
      "failover us-east → eu-west  failed
      run failover-fixture-1, started 2027-01-15 08:00:00Z (10 min ago)
      follow: ap did not stream within 10 s; reroute: not run: follow did not succeed.
      Go on with \`regionctl runs resume failover-fixture-1\`

      Gates
        overridden  region-down  us-east was not measured
          passed by ana: drill

      Steps
        done     preflight  claim orders                                         30 ms
          orders is claimed by this run
        skipped  fence      hold traffic at front-door                           10 ms
          already done: front-door sends us-east 0, eu-west 0, ap 0
        done     fence      prove that us-east can no longer acknowledge writ…  320 ms
          us-east is stopped
        undone   converge   bring eu-west to the most advanced position          49 ms
          let eu-west follow again
        done     promote    promote eu-west                                     410 ms
          eu-west is the primary
        failed   follow     let ap follow eu-west                               11.2 s
          ap did not stream within 10 s
        pending  reroute    send traffic to eu-west
          not run: follow did not succeed
        done     heal       stop the witness                                    897 ms
          the longest write gap was 1313 ms; 4000 writes acknowledged, 0 lost
        failed   heal       release the claim on orders                          5.1 s
          not done within 5 s

      Phases
        detect 812 ms · decide 95 ms · fence 340 ms · promote 410 ms

      Measured
        write gap 1.3 s · lost 0 · duplicated 1

      Objectives
        rto  critical      target 15 min  1.3 s  met
        rpo  user-content  target 0 ms     0 ms  met"
    `);
  });
});

describe('a plan', () => {
  it('reads like this', () => {
    const loss = [{store: 'orders', transactions: 12, bytes: 4096, certainty: 'estimate' as const, basis: 'last sample plus its age'}];
    expect(planText(planDocument({...plan, expected: {gapMs: [800, 2500], loss}}), layout)).toMatchInlineSnapshot(`
      "plan: failover us-east → eu-west
      plan failover-fixture-1; nothing was done yet

      Gates
        overridden  region-down  us-east was not measured
          passed by ana: drill

      Steps
         1 preflight claim orders
            verified by store.claimed; undone by store.release
         2 fence     hold traffic at front-door
            verified by route.weights; not undone
         3 fence     prove that us-east can no longer acknowledge writes
            verified by store.fenced; undone by store.unfence
         4 converge  bring eu-west to the most advanced position
            verified by store.most-advanced; undone by store.unseal
         5 promote   promote eu-west
            verified by store.primary; not undone; point of no return
         6 follow    let ap follow eu-west
            verified by store.following; not undone
         7 reroute   send traffic to eu-west
            verified by route.weights; not undone
         8 heal      stop the witness
            verified by its own result; not undone; always run
         9 heal      release the claim on orders
            verified by its own result; not undone; always run

      Expected
        write gap 800 ms to 2.5 s
        loss in orders: 12 transactions, 4 KiB (estimate: last sample plus its age)

      Objectives
        rto  critical      target 15 min  –  not measured
        rpo  user-content  target 0 ms    –  not measured"
    `);
  });
});

describe('the list of runs', () => {
  it('reads like this', () => {
    const head = {runId, fleet: 'lab', kind: 'failover', from: 'us-east', to: 'eu-west', startedAt: 1_800_000_000_000};
    const text = runListText(
      [
        {...head, outcome: 'failed'},
        {...head, runId: 'shift-2', kind: 'shift', from: null, to: null, outcome: 'running'},
      ],
      layout,
    );
    expect(text).toMatchInlineSnapshot(`
      "RUN                 KIND      WAY                OUTCOME  STARTED
      failover-fixture-1  failover  us-east → eu-west  failed   10 min ago, 2027-01-1…
      shift-2             shift     –                  running  10 min ago, 2027-01-1…"
    `);
    expect(runListText([], layout)).toBe('No runs yet.');
  });
});

it.each([20, 40, 72, 100, 200])('nothing is wider than %i columns', (columns) => {
  const head = {runId, fleet: 'lab', kind: 'failover', from: 'us-east', to: 'eu-west', startedAt: 0, outcome: 'failed' as const};
  const narrow = {...layout, columns};
  const texts = [
    runText(runDocument(runId, plan, events, false), narrow),
    planText(planDocument(plan), narrow),
    runListText([head], narrow),
  ];
  for (const line of texts.flatMap((text) => text.split('\n'))) expect([...line].length, line).toBeLessThanOrEqual(columns);
});
