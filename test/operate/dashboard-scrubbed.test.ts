import fc from 'fast-check';
import {expect, it} from 'vitest';
import {judgeEndpoint} from '../../src/lib/health/judge-endpoint.ts';
import {dashboardView} from '../../src/lib/operate/dashboard-parts.ts';
import {withoutSecrets} from '../../src/lib/operate/dashboard-scrubbed.ts';
import type {DashboardView, RunsNow} from '../../src/lib/operate/dashboard-view.ts';
import {scrubbed} from '../../src/lib/operate/scrubbed.ts';
import {endpoint, REFUSED, reading} from '../health/samples.ts';
import {LOST, parts} from '../ui/dashboard-samples.ts';
import {BROKEN, CHANGE, lagView} from '../ui/lag-samples.ts';

const SAID = 'wrong password hunter2';
const scrub = (text: string): string => text.replaceAll('hunter2', '•••');
const failing = {code: 'refused', reason: SAID, since: 0};

const RUNS = {
  list: [{runId: 'r', reason: SAID}],
  active: {runId: 'r', steps: [{title: 'send traffic', detail: SAID}]},
} as unknown as RunsNow;

it('shows no secret that whoever was asked repeats, wherever it is said', () => {
  const link = {...BROKEN, row: {...BROKEN.row, reason: SAID}};
  const well = parts();
  const judged = judgeEndpoint(reading(endpoint('app', 'us-east'), {...REFUSED, detail: SAID, facts: {says: SAID}}));
  const view = dashboardView(
    {
      ...well,
      lag: lagView([link], {notes: [SAID], unread: [{store: 'carts', reason: SAID}], changes: [{...CHANGE, reason: SAID}]}),
      health: {
        ...well.health,
        notes: [SAID],
        regions: well.health.regions.map((each) => (each.verdict === null ? each : {...each, reason: SAID})),
        endpoints: well.health.endpoints.map((each) => ({...each, judged})),
        changes: [{at: '', region: 'us-east', from: 'healthy', to: 'unhealthy', code: 'refused', reason: SAID}],
      },
      routers: {web: {value: null, at: null, failing}},
      stores: {orders: {value: null, at: null, failing}},
      loss: {ap: {value: null, at: null, failing}},
      ready: {value: null, at: null, failing},
      headroom: {value: null, at: null, failing},
      runs: {value: RUNS, at: 0, failing: null},
    },
    [],
  );
  expect(JSON.stringify(view).split('hunter2').length).toBeGreaterThan(20);
  const clean = withoutSecrets(view, scrub);
  expect(JSON.stringify(clean)).not.toContain('hunter2');
  expect(JSON.stringify(clean)).toContain('wrong password •••');
});

it('looks through any plain data, and copies only what has something to take out', () => {
  const secret = (text: string): string => text.replaceAll('a', '•');
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const before = JSON.stringify(value);
      const clean = scrubbed(value, secret);
      const expected = JSON.parse(before, (_, each: unknown) => (typeof each === 'string' ? secret(each) : each));
      expect(JSON.stringify(clean)).toBe(JSON.stringify(expected));
      expect(JSON.stringify(value), 'what it was given stays').toBe(before);
      if (JSON.stringify(clean) === before) expect(clean).toBe(value);
    }),
  );
});

it('leaves everything else as it was', () => {
  expect(withoutSecrets(LOST, (text) => text)).toEqual<DashboardView>(LOST);
});
