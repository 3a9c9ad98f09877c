import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {faultContract, hostContract, routerContract} from '../../src/kit/testing.ts';
import {labFault} from '../../src/lib/providers/lab/lab-fault.ts';
import {labHost} from '../../src/lib/providers/lab/lab-host.ts';
import {labRouter} from '../../src/lib/providers/lab/lab-router.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {LabUnderTest} from './lab-under-test.ts';

const REGIONS = ['us-east', 'eu-west', 'ap'];

describe('the providers of the lab', () => {
  const lab = new LabUnderTest();
  beforeAll(() => lab.up().then(() => undefined));
  afterAll(() => lab.remove());

  const nobody = 1;
  const token = {source: 'file', name: 'control', toString: () => '', toJSON: () => ''} as const;
  const peer = (port: number | null | undefined) => ({
    ...{url: `http://127.0.0.1:${port}`, token, unreachable: 'host-unreachable', who: 'the lab'},
    secrets: {reveal: async () => lab.secret('control'), scrub: (text: string) => text},
  });
  const ctx = (signal = AbortSignal.timeout(60_000)) => {
    return {runId: 'r', token: 't', signal, now: () => performance.now(), deadline: performance.now() + 60_000};
  };
  const portsOf = (region: string) => lab.record.regions.find(({name}) => name === region);
  const answers = (url: string) =>
    lab.http(url, {ms: 300}).then(
      ({status}) => status === 200,
      () => false,
    );

  routerContract({describe, it, expect}, async () => ({
    router: labRouter(peer(lab.record.control)),
    unreachable: labRouter(peer(nobody)),
    regions: lab.record.regions.map(({name}) => name),
    ctx,
  }));

  faultContract({describe, it, expect}, async () => ({
    fault: labFault(peer(lab.record.control), systemClock(), REGIONS),
    unreachable: labFault(peer(nobody), systemClock(), REGIONS),
    region: 'ap',
    kind: 'partition',
    args: {},
    isActiveFromOutside: async () => !(await answers(`http://127.0.0.1:${portsOf('ap')?.ingress.http}/healthz`)),
    ctx,
  }));

  hostContract({describe, it, expect}, async () => {
    const receivers = () =>
      lab.sql<{port: number}>('ap', "select sender_port as port from pg_stat_wal_receiver where status = 'streaming'");
    return {
      host: labHost(peer(portsOf('ap')?.ingress.agent), 'ap'),
      unreachable: labHost(peer(nobody), 'ap'),
      upstream: 'us-east',
      isRunningFromOutside: () =>
        lab.sql('ap', 'select 1').then(
          () => true,
          () => false,
        ),
      isFollowingFromOutside: () =>
        receivers().then(
          ([receiver]) => receiver?.port === portsOf('ap')?.links['us-east'],
          () => false,
        ),
      takesWritesFromOutside: async () =>
        (await lab.sql<{writable: boolean}>('ap', 'select not pg_is_in_recovery() as writable'))[0]?.writable === true,
    };
  });
});
