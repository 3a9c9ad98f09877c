import {describe, expect, it} from 'vitest';
import {healthDocument} from '../../src/lib/health/document.ts';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {withoutMemory} from '../../src/lib/health/region-memory.ts';
import {statusDocument} from '../../src/lib/observe/status.ts';
import type {StatusDocument, StatusLink} from '../../src/lib/observe/status-document.ts';
import {lagExit} from '../../src/lib/operate/lag-verdict.ts';
import type {LinkNow} from '../../src/lib/operate/lag-watch.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {statusSchema} from '../../src/lib/output/schemas/health.ts';
import {statusText} from '../../src/lib/output/status-text.ts';
import {AT, endpoint, fleet, reading, region} from '../health/samples.ts';
import {storeSpec} from '../operate/open-stores.ts';
import {seen} from '../replication/topology-samples.ts';
import {BROKEN, LATE, linkNow} from '../ui/lag-samples.ts';

const members = ['us-east', 'eu-west', 'ap'];
const regions = members.map((name) => region(name, [endpoint('app', name)]));
const sample = fleet(regions, {stores: [storeSpec('orders', members)]});
const judgement = judgeFleet(
  sample,
  members.map((name) => reading(endpoint('app', name))),
);
const health = healthDocument({fleet: sample, now: withoutMemory(judgement, AT), at: AT});
const snapshot = {
  ...{version: 1 as const, takenAt: new Date(AT).toISOString(), fleetDigest: 'd', vantage: 'here', regions: {}, routers: {}},
  stores: {
    orders: {
      engine: 'memory',
      ack: {known: false as const, code: 'none', reason: 'it has none', at: AT},
      members: {'us-east': seen('primary'), 'eu-west': seen('standby'), ap: seen('standby')},
    },
  },
};

/** A fleet in which everything is well but for these links. */
function statusOf(links: readonly LinkNow[], unread: readonly {store: string; reason: string}[] = []): StatusDocument {
  const rows: readonly StatusLink[] = links.map(({row, breaker}) => ({...row, breaker}));
  const status = statusDocument({fleet: sample, snapshot, health, links: rows, unread, runs: []});
  expect(statusSchema.parse(status)).toEqual(status);
  return status;
}

const WELL = linkNow('us-east', 'eu-west');
const CLOSED = WELL.breaker;
const OPEN = {...WELL, breaker: BROKEN.breaker};
const WARNS = {...WELL, breaker: LATE.breaker};
const SILENT = linkNow('us-east', 'ap', {reading: {heardUpstreamAgoMs: 40_000, silentAfterMs: 31_000}});
const PAUSED = linkNow('us-east', 'ap', {
  reading: {cause: {code: 'replay-paused', state: 'stalled'}, trouble: 'replay is paused on ap'},
});
const DARK = linkNow('us-east', 'ap', {reading: {senderRead: false, trouble: 'us-east did not answer'}});
const LATE_CLOSED = {...LATE, breaker: CLOSED};

describe('the status by its links', () => {
  it('is healthy, with nothing to say, when they are well', () => {
    expect(statusOf([WELL])).toMatchObject({verdict: 'healthy', notes: []});
    expect(statusOf([]), 'a store without links has none to be late').toMatchObject({verdict: 'healthy', notes: []});
  });

  it.each([
    [
      'a link is broken',
      [WELL, {...BROKEN, breaker: CLOSED}],
      'unhealthy',
      /^orders us-east → eu-west is broken and misses its RPO: us-east has no connection from eu-west/,
    ],
    ['a sender is silent', [WELL, SILENT], 'unhealthy', /^orders us-east → ap is stalled: ap asked us-east for a sign of life/],
    ['a link is stalled', [WELL, PAUSED], 'degraded', /^orders us-east → ap is stalled: replay is paused on ap/],
    [
      'a breaker is open, although the link is well by now',
      [OPEN],
      'unhealthy',
      /^breaker of orders us-east → eu-west open, at 60 s: 71 s behind/,
    ],
    ['a breaker warns', [WARNS], 'degraded', /^breaker of orders us-east → eu-west warns from 30 s on: 41 s behind/],
    ['a link is more than 30 s behind', [LATE_CLOSED], 'degraded', /^orders us-east → ap is catching-up and misses its RPO: ap is 3/],
    ['a link is not known', [WELL, DARK], 'unknown', /^orders us-east → ap is not known: .*us-east could not confirm/],
  ] as const)('when %s says so, and in one with replication lag', (_name, links, verdict, note) => {
    const status = statusOf(links);
    expect(status.verdict).toBe(verdict);
    expect(status.notes).toEqual([expect.stringMatching(note)]);
    const says = statusText(status, {columns: 400, paint: plainPaint(), now: AT}).split('\n');
    expect(says).toContain(`- ${status.notes[0]}`);
    const exit = lagExit(
      links.map(({row, breaker}) => ({...row, breaker})),
      false,
    );
    expect({unhealthy: 2, degraded: 1, unknown: 3}[verdict]).toBe(exit);
  });

  it('is unknown when the links of a store could not be read, and names it', () => {
    const status = statusOf([WELL], [{store: 'carts', reason: 'the vault is locked'}]);
    expect(status).toMatchObject({verdict: 'unknown', notes: ['carts: its links could not be read: the vault is locked']});
  });

  it('shows of each region the link that stands worst, and says what is wrong with it beside its figures', () => {
    const small = linkNow('us-east', 'eu-west', {reading: {replayBytes: 10, flushBytes: 10}, breaker: BROKEN.breaker});
    const large = linkNow('ap', 'eu-west', {reading: {replayBytes: 9000, flushBytes: 9000}});
    const status = statusOf([large, small]);
    expect(status.regions.find((each) => each.region === 'eu-west')?.lagWorst).toMatchObject({from: 'us-east', breaker: {state: 'open'}});
    const text = (columns: number) => statusText(status, {columns, paint: plainPaint(), now: AT});
    expect(text(80)).toMatch(/^eu-west .* ● 200 ms +open( |$)/m);
    expect(statusText(statusOf([PAUSED]), {columns: 120, paint: plainPaint(), now: AT})).toMatch(/^ap .* ! 0 ms( |$)/m);
  });
});
