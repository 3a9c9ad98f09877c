import type {StatusDocument, StatusRegion} from '../../src/lib/observe/status-document.ts';
import {AT} from '../health/samples.ts';

const at = new Date(AT).toISOString();

const link = {
  store: 'orders',
  from: 'us-east',
  to: 'eu-west',
  state: 'streaming' as const,
  replayBytes: 16_384,
  seconds: 0.12,
  ageMs: 14,
  withinRpo: true,
  code: 'ok',
  reason: 'streaming',
};

const loss = {
  store: 'orders',
  bytes: 16_384,
  transactions: 3,
  seconds: 0.12,
  certainty: 'estimate',
  withinRpo: false,
  basis: 'us-east was read right after eu-west.',
  ageMs: 20,
} as const;

const step = {
  id: 'fence-orders',
  phase: 'fence',
  action: 'store.fence',
  title: 'Fence us-east',
  status: 'done',
  startedAt: at,
  endedAt: at,
  detail: null,
} as const;

/** One region is down, one well, and of one nothing is known; a failover is under way. */
export const status: StatusDocument = {
  fleet: 'lab',
  at,
  verdict: 'unhealthy',
  regions: [
    {
      region: 'us-east',
      jurisdiction: 'US',
      verdict: 'unhealthy',
      since: '2026-11-21T09:58:00.000Z',
      reason: 'app: 127.0.0.1:21001 refused the connection, 2 times in a row (1 of 3 endpoints)',
      ageMs: 30,
      roles: [{store: 'orders', member: 'us-east', role: 'primary', writable: true, ageMs: 25}],
      weightByRoute: {'front-door': 100},
      ageMsByRoute: {'front-door': 12},
      lagWorst: null,
      loss: null,
      ready: [],
      headroom: null,
    },
    {
      region: 'eu-west',
      jurisdiction: 'EU',
      verdict: 'healthy',
      since: '2026-11-20T10:00:00.000Z',
      reason: '3 endpoints healthy',
      ageMs: 40,
      roles: [{store: 'orders', member: 'eu-west', role: 'standby', writable: false, ageMs: 25}],
      weightByRoute: {'front-door': 0},
      ageMsByRoute: {'front-door': 12},
      lagWorst: link,
      loss: [loss],
      ready: [{from: 'us-east', ready: true, reason: null, ageMs: 0}],
      headroom: {series: 'cpu', left: 62, limit: 100, value: 38, unit: '%', ageMs: 20_000, reason: null},
    },
    {
      region: 'ap',
      jurisdiction: 'SG',
      verdict: 'unknown',
      since: at,
      reason: 'not judged',
      ageMs: null,
      roles: [{store: 'orders', member: 'ap', role: 'unknown', writable: null, ageMs: null}],
      weightByRoute: {'front-door': null},
      ageMsByRoute: {'front-door': null},
      lagWorst: {...link, to: 'ap', state: 'broken', replayBytes: null, seconds: null, ageMs: null, withinRpo: null},
      loss: [
        {
          ...loss,
          bytes: null,
          transactions: null,
          seconds: null,
          certainty: 'unknown',
          withinRpo: null,
          basis: 'ap did not answer.',
          ageMs: null,
        },
      ],
      ready: [{from: 'us-east', ready: false, reason: 'target-healthy: ap did not answer', ageMs: 0}],
      headroom: {series: null, left: null, limit: null, value: null, unit: null, ageMs: null, reason: 'prom: no answer within 5000 ms'},
    },
  ],
  activeRun: {
    runId: 'fo-1',
    kind: 'failover',
    from: 'us-east',
    to: 'eu-west',
    outcome: 'running',
    startedAt: at,
    steps: [
      step,
      {
        ...step,
        id: 'promote-orders',
        phase: 'promote',
        action: 'store.promote',
        title: 'Promote eu-west',
        status: 'running',
        endedAt: null,
      },
      {
        ...step,
        id: 'reroute-front-door',
        phase: 'reroute',
        action: 'route.set',
        title: 'Send front-door to eu-west',
        status: 'pending',
        startedAt: null,
        endedAt: null,
      },
    ],
  },
  notes: ['orders: could not read ap (no answer within 1000 ms)'],
};

/** The same region with something else. */
export const regionWith = (region: string, more: Partial<StatusRegion>): StatusDocument => ({
  ...status,
  regions: status.regions.map((each) => (each.region === region ? {...each, ...more} : each)),
});
