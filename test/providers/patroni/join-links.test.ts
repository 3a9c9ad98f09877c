import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {LinkReading} from '../../../src/lib/ports/store.ts';
import type {ClusterView} from '../../../src/lib/providers/patroni/answers.ts';
import type {Reading, Views} from '../../../src/lib/providers/patroni/ensemble.ts';
import {joinLinks} from '../../../src/lib/providers/patroni/join-links.ts';
import {judgeLinks, type LagRow, type LinkState} from '../../../src/lib/replication/lag.ts';
import {dark, link, listed, silent, viewOf, viewsOf} from './join-samples.ts';

const judged = (links: readonly LinkReading[]): readonly LagRow[] => judgeLinks(links, {store: 'orders', engine: 'patroni', rpoMs: null});
/* Of a member that does not answer the seconds are never known. */
const SECONDS = '; the seconds are not known, because the standby did not say when it last replayed a transaction';
const rows = (links: readonly LinkReading[], views: Views): readonly string[] =>
  judged(joinLinks(links, views)).map(
    ({from, to, state, code, reason}) => `${from} → ${to} ${state} ${code}: ${reason.replace(SECONDS, '')}`,
  );
const HAS = 'has everything that us has';

describe('links by SQL and by Patroni', () => {
  const links = [link('eu'), link('ap')];
  /** What is said of the link to `ap`. */
  const ofAp = (ap: LinkReading, views: Views): string | undefined => rows([link('eu'), ap], views)[1];

  it('are left as they are when both agree', () => {
    expect(joinLinks(links, viewsOf(viewOf()))).toEqual(links);
  });

  it('are left alone when they carry changes of rows', () => {
    const logical = [link('eu', {kind: 'logical', link: 'sub'})];
    expect(joinLinks(logical, viewsOf(viewOf({}, {paused: true})))).toEqual(logical);
  });

  it('say that no Patroni answers, and lose nothing by it', () => {
    const nobody = {us: silent('us'), eu: silent('eu'), ap: silent('ap')};
    expect(rows(links, nobody)[0]).toBe(
      `us → eu streaming ok: eu ${HAS}; no Patroni tells the state of the cluster: Patroni of eu (http://eu:8008) did not answer within 1500 ms.`,
    );
  });

  it.each([
    ['stopped', 'broken member-stopped: Patroni says that the server of ap is stopped. ap (db) refused the connection.'],
    ['crashed', 'broken member-crashed: Patroni says that the server of ap crashed. ap (db) refused the connection.'],
    ['start failed', 'broken member-failed: Patroni says "start failed" of ap: its server needs a look. ap (db) refused the connection.'],
    [
      'restart failed (starting)',
      'broken member-failed: Patroni says "restart failed (starting)" of ap: its server needs a look. ap (db) refused the connection.',
    ],
    ['creating replica', 'catching-up rebuilding: Patroni is making ap anew ("creating replica"). ap (db) refused the connection.'],
    ['starting', 'catching-up starting: Patroni is starting the server of ap. ap (db) refused the connection.'],
    ['stopping', 'catching-up member-stopping: Patroni is stopping the server of ap. ap (db) refused the connection.'],
  ])('take the word "%s" for a member whose stream nobody sees', (state, says) => {
    expect(ofAp(dark('ap'), viewsOf(viewOf({ap: {state}})))).toBe(`us → ap ${says}`);
  });

  it('note that word where SQL sees the stream, or the server', () => {
    const views = viewsOf(viewOf({ap: {state: 'stopped'}}));
    expect(ofAp(link('ap'), views)).toBe(`us → ap streaming ok: ap ${HAS}; Patroni says "stopped" of ap, whose server answers.`);
    expect(ofAp(dark('ap', {senderState: 'streaming', replayBytes: 0, flushBytes: 0}), views)).toMatch(
      /^us → ap streaming ok: .*; Patroni says "stopped" of ap, which its sender lists\.$/,
    );
  });

  it('do not believe that a member is being made by a Patroni that does not answer', () => {
    const views = viewsOf(viewOf({ap: {state: 'creating replica', timeline: null}}), {ap: silent('ap')});
    expect(ofAp(dark('ap'), views)).toBe(
      'us → ap broken not-connected: us has no connection from ap: ap (db) refused the connection; Patroni says "creating replica" of ap; Patroni of ap (http://ap:8008) did not answer within 1500 ms.',
    );
  });

  it('keep what SQL found when it is as bad or worse', () => {
    const lost = dark('ap', {cause: {code: 'slot-lost', state: 'broken'}, trouble: 'us has given up the slot ap.'});
    expect(ofAp(lost, viewsOf(viewOf({ap: {state: 'stopped'}})))).toBe(
      'us → ap broken slot-lost: us has given up the slot ap; Patroni says that the server of ap is stopped.',
    );
  });

  it('say that a stopped server stays so while the cluster is paused', () => {
    expect(ofAp(dark('ap'), viewsOf(viewOf({ap: {state: 'stopped'}}, {paused: true})))).toBe(
      'us → ap broken member-stopped: Patroni says that the server of ap is stopped, and starts nothing while it is paused. ap (db) refused the connection; Patroni is paused, and moves nothing by itself.',
    );
  });

  it('note a pause, a member that is not listed, tags, a restart that is due, and a Patroni that hangs', () => {
    expect(rows(links, viewsOf(viewOf({}, {paused: true})))[0]).toBe(
      `us → eu streaming ok: eu ${HAS}; Patroni is paused, and moves nothing by itself.`,
    );
    expect(ofAp(link('ap'), viewsOf(viewOf({ap: null})))).toBe(
      `us → ap streaming ok: ap ${HAS}; Patroni does not list ap, so it does not promote it.`,
    );
    expect(ofAp(link('ap'), viewsOf(viewOf({ap: {nofailover: true, noloadbalance: true, pendingRestart: true}})))).toBe(
      `us → ap streaming ok: ap ${HAS}; ap is tagged nofailover; ap is tagged noloadbalance; ap waits for a restart to take its settings.`,
    );
    expect(rows(links, viewsOf(viewOf(), {ap: silent('ap')}))).toEqual([
      `us → eu streaming ok: eu ${HAS}.`,
      `us → ap streaming ok: ap ${HAS}; Patroni of ap (http://ap:8008) did not answer within 1500 ms.`,
    ]);
  });

  it('note that the word for a server which does not answer is as old as the last turn, and where its timeline was', () => {
    expect(ofAp(dark('ap'), viewsOf(viewOf({us: {timeline: 4}})))).toBe(
      'us → ap broken not-connected: us has no connection from ap: ap (db) refused the connection; Patroni lists ap as running, which it was at its last turn; Patroni has ap on timeline 3, and its leader on timeline 4.',
    );
  });

  it('note a timeline that is not the server’s own', () => {
    expect(ofAp(link('ap', {receiverTimeline: 4}), viewsOf(viewOf()))).toBe(
      `us → ap streaming ok: ap ${HAS}; Patroni has ap on timeline 3, and its server is on timeline 4.`,
    );
  });

  it('are broken where Patroni has another leader than the primary that answers', () => {
    expect(rows(links, viewsOf(viewOf({}, {leader: 'eu'})))).toEqual([
      'us → eu broken two-leaders: Patroni says that eu is the leader, and us answers as the primary.',
      'us → ap broken two-leaders: Patroni says that eu is the leader, and us answers as the primary.',
    ]);
    // What follows the leader of Patroni is on its side.
    const side = rows([link('eu'), link('ap', {from: 'eu'})], viewsOf(viewOf({}, {leader: 'eu'})));
    expect(side[1]).toMatch(
      /^eu → ap streaming upstream-behind: ap has everything that eu has; eu, from which it gets the log, is .* broken/,
    );
  });

  it('name both where that primary does not answer', () => {
    const unread = {senderRead: false, senderState: null, replayBytes: null, trouble: 'us (db) did not answer in time.'};
    expect(rows([link('eu', unread), link('ap', unread)], viewsOf(viewOf({}, {leader: 'eu'})))[1]).toBe(
      'us → ap unknown sender-unread: ap says that it streams, which us could not confirm: us (db) did not answer in time; Patroni says that eu is the leader, and us, which ap follows, does not answer.',
    );
  });

  it('say that nobody leads, and that the Patronis do not agree', () => {
    expect(rows(links, viewsOf(viewOf({}, {leader: null})))[0]).toBe(
      `us → eu streaming ok: eu ${HAS}; Patroni lists nobody with the leader key.`,
    );
    const other: Reading<ClusterView> = {ok: true, value: viewOf({}, {leader: 'ap'})};
    expect(rows(links, viewsOf(viewOf(), {ap: other}))[0]).toBe(
      `us → eu streaming ok: eu ${HAS}; the Patronis do not agree who leads: us and eu say us, ap says ap.`,
    );
  });

  it('note who is synchronous to one of them only', () => {
    expect(ofAp(link('ap', {sync: 'async'}), viewsOf(viewOf({ap: {sync: true}})))).toBe(
      `us → ap streaming ok: ap ${HAS}; Patroni counts ap as synchronous, and us does not wait for it (async).`,
    );
    expect(ofAp(link('ap', {sync: 'quorum'}), viewsOf(viewOf()))).toBe(
      `us → ap streaming ok: ap ${HAS}; us waits for ap (quorum), which Patroni does not count as synchronous.`,
    );
    expect(joinLinks([link('eu', {sync: 'sync'})], viewsOf(viewOf({eu: {sync: true}})))).toEqual([link('eu', {sync: 'sync'})]);
  });
});

describe('any links and any views', () => {
  const names = fc.constantFrom('us', 'eu', 'ap');
  const bytes = fc.option(fc.nat(5_000_000));
  const cause = fc.option(
    fc.record({code: fc.constantFrom('promoted', 'replay-paused', 'replaying'), state: fc.constantFrom('broken', 'stalled', 'late')}),
  );
  const anyLink = (to: string): fc.Arbitrary<LinkReading> =>
    fc
      .record({
        from: fc.constantFrom('us', 'eu', 'ap', 'unknown').filter((from) => from !== to),
        senderState: fc.option(fc.constantFrom('streaming', 'catchup')),
        receiverConnected: fc.option(fc.boolean()),
        senderRead: fc.boolean(),
        replayBytes: bytes,
        sync: fc.option(fc.constantFrom('async', 'sync', 'quorum', 'potential')),
        receiverTimeline: fc.option(fc.nat(9)),
        trouble: fc.option(fc.constantFrom('It is silent.', 'It refused.')),
        cause,
      })
      .map(({cause: own, ...more}) =>
        link(to, {...more, ...(own === null ? {} : {cause: own, trouble: more.trouble ?? 'Something is wrong.'})} as Partial<LinkReading>),
      );
  const word = fc.constantFrom(
    'running',
    'streaming',
    'starting',
    'stopping',
    'stopped',
    'crashed',
    'start failed',
    'creating replica',
    '',
    'new',
  );
  const member = fc
    .record({
      name: fc.constantFrom('us', 'eu', 'ap', 'sa'),
      state: word,
      sync: fc.boolean(),
      nofailover: fc.boolean(),
      timeline: fc.option(fc.nat(9)),
    })
    .map(({name, ...more}) => listed(name, more));
  const view: fc.Arbitrary<Reading<ClusterView>> = fc.oneof(
    fc
      .record({leader: fc.option(names), standbyCluster: fc.boolean(), paused: fc.boolean(), members: fc.array(member, {maxLength: 5})})
      .map((value) => ({ok: true as const, value})),
    names.map(silent),
  );
  const PASSES = ['rebuilding', 'starting', 'member-stopping'];
  const GRAVE: Readonly<Record<LinkState, number>> = {streaming: 0, idle: 0, 'catching-up': 1, stalled: 2, unknown: 3, broken: 4};

  type Look = {readonly link: LinkReading; readonly row: LagRow};
  const expectKept = (sql: Look, both: Look): void => {
    // Of two that follow one another nothing is known but that, once one of them may yet connect.
    const excused =
      [...PASSES, 'circle'].includes(both.row.code) && sql.row.code === 'not-connected' && sql.link.receiverConnected === null;
    if (!excused) expect(GRAVE[both.row.state]).toBeGreaterThanOrEqual(GRAVE[sql.row.state]);
    if (both.link.cause !== sql.link.cause) expect(both.link.trouble).toMatch(/\S/);
    if (sql.link.trouble !== null) expect(both.link.trouble).toContain(sql.link.trouble);
    const {cause: _cause, trouble: _trouble, notes = [], ...figures} = both.link;
    const {cause: _own, trouble: _said, ...given} = sql.link;
    expect(figures).toEqual(given);
    for (const note of notes) expect(note).toMatch(/^\S.*[^.\s]$/);
    expect(new Set(notes).size).toBe(notes.length);
    expect(both.row.reason).toMatch(/^\S.*[^.]\.$/);
    expect(both.row.reason).not.toMatch(/NaN|undefined|null| {2}|\.\./);
  };

  it('never make what SQL found better, hide its words, change a figure, or leave anything blank', () => {
    fc.assert(
      fc.property(anyLink('eu'), anyLink('ap'), view, view, view, (eu, ap, one, two, three) => {
        const before = [eu, ap];
        const after = joinLinks(before, {us: one, eu: two, ap: three});
        expect(after).toHaveLength(2);
        const [then, now] = [judged(before), judged(after)];
        for (const [index, row] of now.entries()) {
          expectKept({link: before[index] as LinkReading, row: then[index] as LagRow}, {link: after[index] as LinkReading, row});
        }
      }),
      {numRuns: 2000},
    );
  });
});
