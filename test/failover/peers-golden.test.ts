import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {Outbound} from '../../src/lib/failover/peer-loss.ts';
import {chooseEvacuated, planEvacuation} from '../../src/lib/failover/plan-evacuation.ts';
import {type AuditSize, chooseReadmitted, type Marks, planReadmission} from '../../src/lib/failover/plan-readmission.ts';
import type {Fleet, RouteSpec} from '../../src/lib/fleet/fleet.ts';
import type {Override, Plan} from '../../src/lib/plan/plan.ts';
import {planDocument} from '../../src/lib/plan/plan-document.ts';
import type {LinkReading} from '../../src/lib/ports/store.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import type {Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {type FleetOptions, type MemberSample, REGIONS, type SnapshotOptions, sampleFleet, sampleSnapshot} from './three-regions.ts';

/*
 * Each folder: `given.json` says what differs from three regions that are well and share the traffic of one route; `plan.txt` what is planned: refusals,
 * gates with their verdicts, steps with their undo, losses and remarks. Gates that ask the world are open.
 */
const CASES = join(import.meta.dirname, 'golden/peers');

type Given = {
  readonly kind: 'evacuation' | 'readmission';
  readonly region?: string;
  readonly fleet?: FleetOptions;
  readonly route?: Partial<Pick<RouteSpec, 'weights' | 'stages'>>;
  /** What the route sends now; null = its router does not answer. */
  readonly weights?: Readonly<Record<string, number>> | null;
  readonly verdicts?: SnapshotOptions['verdicts'];
  /** Members that do not answer. */
  readonly silent?: readonly string[];
  /** Streams by where they lead, or with what differs from one that runs. */
  readonly outbound?: Partial<Omit<Outbound, 'streams'>> & {
    readonly streams?: readonly (string | ({readonly to: string} & Partial<LinkReading>))[];
  };
  readonly size?: AuditSize;
  readonly marks?: Marks;
  readonly overrides?: readonly string[];
};

const EVEN = {'us-east': 100, 'eu-west': 100, ap: 100};
const PEER: MemberSample = {role: 'peer', writable: true, upstream: null};

function world({fleet: options, route = {}, weights = EVEN, verdicts = {}, silent = []}: Given): {fleet: Fleet; snapshot: Snapshot} {
  const sample = sampleFleet({quorum: 0, ...options});
  const fleet = {...sample, routes: sample.routes.map((each) => ({...each, weights: EVEN, url: 'http://127.0.0.1:1', ...route}))};
  const members = Object.fromEntries(REGIONS.map((name) => [name, silent.includes(name) ? null : PEER]));
  const seen = sampleSnapshot({verdicts, members, router: weights !== null});
  const {orders} = seen.stores;
  if (orders === undefined) throw new Error('no store');
  const routers = weights === null ? seen.routers : {'front-door': known(weights, 0, 'here')};
  return {fleet, snapshot: {...seen, routers, stores: {orders: {...orders, peers: true}}}};
}

const stream = (to: string, more = {}) => ({
  ...{
    from: 'us-east',
    to,
    link: `us_east_to_${to}`,
    kind: 'logical' as const,
    senderRead: true,
    senderState: 'streaming',
    receiverConnected: true,
  },
  ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, lastReplayAgeSeconds: null, heardUpstreamAgoMs: 1, runwayBytes: null},
  ...{sync: null, sampleAgeMs: 0, trouble: null, replayOffset: '0', ...more},
});

function made(given: Given): Plan {
  const {fleet, snapshot} = world(given);
  const overrides = (given.overrides ?? []).map((gate): Override => ({gate, reason: 'a test', by: 'ops'}));
  const base = {id: 'run-1', fleet, snapshot, objectives: [], overrides};
  if (given.kind === 'readmission') {
    const to = chooseReadmitted(fleet, snapshot, given.region);
    const marks: Readonly<Record<string, Marks>> = given.marks === undefined ? {} : {orders: given.marks};
    return planReadmission({...base, to, sizes: {orders: given.size ?? {tables: 4, rows: 1000, bytes: '2 MiB'}}, marks});
  }
  const from = chooseEvacuated(fleet, snapshot, given.region);
  const {streams = ['eu-west', 'ap'], ...rest} = given.outbound ?? {};
  const links = streams.map((each) => (typeof each === 'string' ? stream(each) : stream(each.to, each)));
  const outbound = {answers: true, isWell: true, history: [], ...rest, streams: links};
  return planEvacuation({...base, from, outbound: {orders: outbound}, witness: true, approve: true});
}

function textOf(given: Given): string {
  try {
    const plan = made(given);
    const {gates, steps, expected, notes} = planDocument(plan);
    return [
      `${plan.kind} from ${plan.from} to ${plan.to}`,
      ...gates.map(({id, verdict, says, overridable}) => `gate ${verdict} ${id}${overridable ? '' : ' (fixed)'}: ${says}`),
      ...steps.map(({id, title}, index) => {
        const {
          undo = null,
          onFailure,
          hold,
          requires,
          after,
        } = plan.steps[index] ?? plan.always[index - plan.steps.length] ?? {requires: [], after: []};
        const facts = [
          ...(undo === null ? [] : [`undo ${undo?.action} ${JSON.stringify(undo?.args)}`]),
          ...(hold == null ? [] : [`held ${hold.forMs} ms`]),
          ...requires.map(({check}) => `requires ${check}`),
          ...(after.length === 0 ? [] : [`after ${after.join(', ')}`]),
        ];
        return `step ${id}: ${title}\n  on failure ${onFailure}${facts.map((fact) => `; ${fact}`).join('')}`;
      }),
      ...expected.loss.map(
        ({transactions, bytes, certainty, basis}) => `loss ${transactions} transactions, ${bytes} bytes (${certainty}): ${basis}`,
      ),
      ...notes.map((note) => `note ${note}`),
      '',
    ].join('\n');
  } catch (error) {
    const {code, exit, message, suggestions} = error as {code: string; exit: number; message: string; suggestions?: readonly string[]};
    return [`refused ${exit} ${code}: ${message}`, ...(suggestions ?? []).map((each) => `try ${each}`), ''].join('\n');
  }
}

describe('plans for stores of peers', () => {
  it.each(readdirSync(CASES))('%s', (name) => {
    const given = JSON.parse(readFileSync(join(CASES, name, 'given.json'), 'utf8')) as Given;
    expect(textOf(given)).toBe(readFileSync(join(CASES, name, 'plan.txt'), 'utf8'));
  });
});
