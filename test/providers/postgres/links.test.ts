import {describe, expect, it} from 'vitest';
import {createLinks} from '../../../src/lib/providers/postgres/links.ts';
import {judgeLinks} from '../../../src/lib/replication/lag.ts';
import {type Answers, scriptedCluster} from './scripted-servers.ts';

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
