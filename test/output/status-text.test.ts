import {expect, it} from 'vitest';
import type {StatusDocument} from '../../src/lib/observe/status-document.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {statusText} from '../../src/lib/output/status-text.ts';
import {AT} from '../health/samples.ts';
import {regionWith, status} from './sample-status.ts';

const text = (document: StatusDocument, columns = 120, now = AT + 1500) => statusText(document, {columns, paint: plainPaint(), now});
const titles = (columns: number, document = status) => text(document, columns).split('\n')[2]?.split(/ +/);

it('the columns give way as those of the dashboard do', () => {
  expect(titles(120)).toEqual(['region', 'law', 'verdict', 'for', 'traffic', 'stores', 'lag', 'loss', 'ready', 'room']);
  expect(titles(80), 'a store and a limit have room in 80').toEqual([
    'region',
    'verdict',
    'for',
    'traffic',
    'stores',
    'lag',
    'loss',
    'ready',
    'room',
  ]);
  expect(titles(70)).toEqual(['region', 'verdict', 'for', 'traffic', 'lag', 'loss', 'ready', 'room']);
  expect(titles(62)).toEqual(['region', 'verdict', 'for', 'traffic', 'lag', 'loss', 'ready']);
  expect(titles(55)).toEqual(['region', 'verdict', 'for', 'traffic', 'lag', 'loss']);
  expect(titles(40)).toEqual(['region', 'verdict', 'for', 'traffic']);
});

it('what the table has no room for stands below it', () => {
  expect(text(status, 70)).toContain('\n  orders: us-east primary, eu-west standby, ap unknown\n');
  expect(text(status, 80)).not.toContain('us-east primary');
  const many = Array.from(
    {length: 8},
    (_, i) => ({store: `store-${i}`, member: 'eu', role: 'standby', writable: i === 7, ageMs: 0}) as const,
  );
  expect(text(regionWith('eu-west', {roles: many}), 80)).toContain('\n  store-7: eu standby (writable)\n');
});

it('says in words what is not ready, not known, or misses its RPO', () => {
  const says = text(status, 200);
  for (const sentence of [
    'ap cannot take over from us-east now: target-healthy: ap did not answer',
    'promoting eu-west now would lose about 16 KiB of orders, which misses its RPO',
    'room of ap is not known: prom: no answer within 5000 ms',
  ])
    expect(says).toContain(`\n  ${sentence}\n`);
  expect(says, 'that ap does not answer stands among the notes').not.toContain('what promoting ap');
});

it('says that what is left may be less where a limit could not be read', () => {
  const reason = 'prom: no answer within 5000 ms';
  const unread = [{series: 'disk', reason}];
  const document = regionWith('eu-west', {
    headroom: {series: 'cpu', left: 62, limit: 100, value: 38, unit: '%', ageMs: 20_000, reason: null, unread},
  });
  const says = text(document, 200);
  expect(says).toMatch(/^eu-west .* ≤62 %$/m);
  expect(says).toContain(`\n  room of eu-west may be less: disk is not known: ${reason}\n`);
});

it('regions that share a reason share a sentence, and an unknown way is no shut one', () => {
  const why = {from: 'us-east', ready: null, reason: 'timeout expired', ageMs: null};
  const document = {...status, regions: status.regions.map((each) => (each.region === 'us-east' ? each : {...each, ready: [why]}))};
  const says = text(document, 200);
  expect(says).toContain('\n  whether eu-west or ap could take over from us-east is not known: timeout expired\n');
  expect(says).toMatch(/^eu-west .* \? +62 %$/m);
  expect(says).not.toContain('cannot take over');
});

it('an estimate of nothing is nothing to be told of, though it meets no RPO of 0; a loss that is not known of a member that answers is', () => {
  const [loss] = status.regions[1]?.loss ?? [];
  if (loss === undefined) throw new Error('the sample has a loss');
  expect(text(regionWith('eu-west', {loss: [{...loss, bytes: 0}]}))).not.toContain('would lose');
  const unknown = {...loss, bytes: null, certainty: 'unknown', withinRpo: null, basis: 'timeout expired'} as const;
  expect(text(regionWith('eu-west', {loss: [unknown]}))).toContain(
    '  what promoting eu-west now would lose of orders is not known: timeout expired\n',
  );
});

it('the run with the step that it is at, and the one that failed', () => {
  expect(text(status)).toContain(
    '\nfailover us-east → eu-west running: fo-1, started 1 s ago\n  step 2 of 3: ▶ Promote eu-west, for 1 s\n',
  );
  const {activeRun} = status;
  if (activeRun === null) throw new Error('the sample has a run');
  const steps = activeRun.steps.map((step) =>
    step.status === 'running' ? {...step, status: 'failed' as const, detail: 'it is no standby'} : step,
  );
  const says = text({...status, activeRun: {...activeRun, outcome: 'interrupted', steps}});
  expect(says).toContain('\n  ✗ Promote eu-west: it is no standby\n  step 3 of 3: · Send front-door to eu-west\n');
  expect(text({...status, activeRun: {...activeRun, steps: []}}), 'kept by who could not read them').toContain('started 1 s ago\n\n-');
});

it('a kept picture has its age above it and beside each verdict; what was old already then says so', () => {
  const later = {
    ...regionWith('eu-west', {ageMs: 61_000, lagWorst: {...(status.regions[1]?.lagWorst as object), ageMs: 90_000} as never}),
    cached: true as const,
  };
  const says = text(later, 120, AT + 60_000);
  expect(says.split('\n')[0]).toBe('lab  ✗ unhealthy  2026-11-21 10:00:00Z, 1 min ago: nobody was asked since');
  expect(says).toMatch(/^eu-west .* ● 120 ms \(1 min old\) .* 1 min$/m);
  expect(titles(120, later)).toContain('age');
  expect(titles(120), 'next to nothing everywhere').not.toContain('age');
});
