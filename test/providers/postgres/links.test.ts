import {describe, expect, it} from 'vitest';
import {createLinks} from '../../../src/lib/providers/postgres/links.ts';
import {judgeLinks} from '../../../src/lib/replication/lag.ts';
import {type Answers, follows, scriptedCluster} from './scripted-servers.ts';

/** The primary us, from which somebody reads over a logical slot, and eu, which does not answer and is not listed. */
const rows = async (application: string) => {
  const answers: Answers = {
    us: () => ({
      facts: {},
      slots: [{name: 'feed', kind: 'logical', database: 'orders', active: true, pid: 7, confirmedBehind: 0, confirmed: '1000'}],
      senders: [{pid: 7, application, state: 'streaming', sync: 'async', startedAt: 0, sendBytes: 0}],
    }),
    eu: () => Promise.reject(new Error('gone')),
  };
  const links = await createLinks(scriptedCluster(answers)).links(new AbortController().signal);
  return judgeLinks(links, {store: 'orders', engine: 'postgres', rpoMs: null}).map(({to, link, kind, code}) => ({to, link, kind, code}));
};

describe('the link of a member that does not answer, where somebody reads changes from the primary', () => {
  it('is the one that it lacks, when that is somebody else: a capture of changes', async () => {
    expect(await rows('Debezium Streaming')).toEqual([{to: 'eu', link: undefined, kind: 'physical', code: 'not-connected'}]);
  });

  it('is that of a subscription, when that reads under the name of its slot', async () => {
    expect(await rows('feed')).toMatchObject([{to: 'eu', link: 'feed', kind: 'logical'}]);
  });
});

describe('a standby that connects under another name, without a slot', () => {
  const sender = (pid: number, application: string, address: string | null) => ({
    ...{pid, application, address, state: 'streaming', sync: 'async', startedAt: 0},
    ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0},
  });
  const row = async (senders: readonly ReturnType<typeof sender>[], application: string | null = null) => {
    const answers: Answers = {
      us: () => ({facts: {}, senders}),
      eu: () => {
        const facts = follows(answers, 'us');
        return {facts: application === null ? facts : {...facts, conninfo: `${facts.conninfo} application_name=${application}`}};
      },
    };
    const links = await createLinks(scriptedCluster(answers)).links(new AbortController().signal);
    const [judged] = judgeLinks(links, {store: 'orders', engine: 'postgres', rpoMs: null});
    return {code: judged?.code, state: judged?.state, reason: judged?.reason};
  };
  const says = (name: string, place = '') =>
    expect.stringContaining(`us lists a standby that calls itself ${name}${place}; eu must connect as application_name=eu`);

  it('is told under which name, and how it has to connect', async () => {
    expect(await row([sender(7, 'walreceiver', '10.0.0.7')])).toEqual({
      ...{state: 'broken', code: 'other-name', reason: says('walreceiver', ' from 10.0.0.7')},
    });
    expect((await row([sender(7, 'walreceiver', null)])).reason).toEqual(says('walreceiver'));
  });

  it('is the one with the name that it is set to use, or the one from its address', async () => {
    const two = [sender(7, 'walreceiver', 'db'), sender(8, 'other', '10.0.0.8')];
    expect((await row(two, 'other')).reason).toEqual(says('other', ' from 10.0.0.8'));
    expect((await row(two)).reason).toEqual(says('walreceiver', ' from db'));
    expect((await row(two.map((each) => ({...each, address: null})))).code, 'nobody knows which').toBe('one-sided');
  });

  it('is nothing of the kind where it is listed under its own', async () => {
    expect((await row([sender(7, 'EU', null), sender(8, 'walreceiver', null)])).code).toBe('ok');
  });
});
