import {describe, expect, it} from 'vitest';
import {createLinks} from '../../../src/lib/providers/postgres/links.ts';
import {createLoss} from '../../../src/lib/providers/postgres/loss.ts';
import {type Answers, follows, type Server, scriptedCluster} from './scripted-servers.ts';

const signal = new AbortController().signal;
const loss = (answers: Answers) => createLoss(scriptedCluster(answers)).loss('eu', signal);

describe('what a target lacks', () => {
  /** us is asked first and answers at once; eu answers only when that has been heard. `later` = what us answers from then on. */
  const slowTarget = (later: () => Server | Promise<Server>): Answers => {
    let heard = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      heard = resolve;
    });
    let times = 0;
    const answers: Answers = {
      us: () => {
        heard();
        return times++ === 0 ? {facts: {durable: '1000', nextXid: '100'}} : later();
      },
      eu: async () => {
        await asked;
        return {facts: {...follows(answers, 'us'), durable: '1000', applied: '1000', nextXid: '100', overXids: '97'}};
      },
    };
    return answers;
  };

  it('is measured to a primary that was read after it, however late it answers', async () => {
    expect(await loss(slowTarget(() => ({facts: {durable: '9000', nextXid: '180'}})))).toMatchObject({
      bytes: 8000,
      transactions: 83,
      certainty: 'estimate',
      basis: expect.stringContaining('us was read right after eu.'),
    });
  });

  it.each<[string, () => Server | Promise<Server>]>([
    ['does not answer any more', () => Promise.reject(new Error('gone'))],
    ['is a standby by then', () => ({facts: {recovering: true, durable: '9000', nextXid: '180'}})],
    ['writes another timeline by then', () => ({facts: {timeline: 2, durable: '9000', nextXid: '180'}})],
  ])('is measured to the first reading of a primary that %s, and says so', async (_name, later) => {
    expect(await loss(slowTarget(later))).toMatchObject({
      bytes: 0,
      transactions: 0,
      basis: expect.stringContaining('us was read at the same time as eu and not again'),
    });
  });

  it('counts no transactions by ids of another timeline', async () => {
    const answers: Answers = {
      us: () => ({facts: {timeline: 2, durable: '9000', nextXid: '180'}, history: '1\t0/3E8\tno recovery target specified\n'}),
      eu: () => ({facts: {...follows(answers, 'us'), nextXid: '100', overXids: '97'}}),
    };
    expect(await loss(answers)).toMatchObject({bytes: 8000, transactions: null});
  });

  const unknown = {bytes: null, transactions: null, seconds: null, certainty: 'unknown'};

  it.each([
    [
      'went another way, however much it holds',
      '1\t0/3E7\tno recovery target specified\n',
      /^The log of eu went another way: timeline 2 of us forked off at 0\/3E7, and eu has timeline 1 up to 0\/2328\.$/,
    ],
    ['may have gone another way', undefined, /^eu is on timeline 1 and us on timeline 2: where they parted could not be read\.$/],
  ])('is not known of a target whose log %s', async (_name, history, basis) => {
    const answers: Answers = {
      us: () => ({facts: {timeline: 2, durable: '2000'}, ...(history === undefined ? {} : {history})}),
      eu: () => ({facts: {...follows(answers, 'us'), durable: '9000', applied: '9000'}}),
    };
    expect(await loss(answers)).toMatchObject({...unknown, basis: expect.stringMatching(basis)});
  });

  it('is not known where the primary that the target followed does not answer, and a former one does', async () => {
    const answers: Answers = {
      us: () => ({facts: {durable: '500'}}),
      eu: () => ({facts: {...follows(answers, 'us'), timeline: 2, durable: '1000'}}),
    };
    expect(await loss(answers)).toMatchObject({...unknown, basis: expect.stringContaining('no primary that answers is')});
  });

  it('is not known where two run as primaries on one timeline', async () => {
    const answers: Answers = {
      us: () => ({facts: {timeline: 2}}),
      ap: () => ({facts: {timeline: 2}}),
      eu: () => ({facts: {...follows(answers, 'us'), timeline: 2}}),
    };
    expect(await loss(answers)).toMatchObject({
      ...unknown,
      basis: expect.stringContaining('ap and us both run as primaries on timeline 2'),
    });
  });
});

describe('how many transactions a link has outstanding', () => {
  const cascade = (eu: Server['facts'], us: () => Server | Promise<Server> = () => ({facts: {durable: '9000', nextXid: '500'}})) => {
    const answers: Answers = {
      us,
      eu: () => ({facts: {...follows(answers, 'us'), durable: '9000', ...eu}}),
      ap: () => ({facts: {...follows(answers, 'eu'), durable: '4000', applied: '1000', nextXid: '120', overXids: '90'}}),
    };
    return createLinks(scriptedCluster(answers)).links(signal);
  };
  const figures = async (links: ReturnType<typeof cascade>) =>
    (await links).map(({from, to, flushBytes, outstandingTransactions}) => [from, to, flushBytes, outstandingTransactions]);
  const gone = () => Promise.reject(new Error('gone'));

  it('is not by what a standby that hands on the log has replayed of it', async () => {
    const paused = {applied: '2000', nextXid: '130', overXids: '128', replayPaused: true};
    expect(await figures(cascade(paused))).toEqual([
      ['us', 'eu', 0, 0],
      ['eu', 'ap', 5000, 410],
    ]);
    expect((await figures(cascade(paused, gone))).at(-1), 'nobody tells').toEqual(['eu', 'ap', 5000, null]);
    const all = {applied: '9000', nextXid: '500', overXids: '499'};
    expect((await figures(cascade(all, gone))).at(-1), 'it has replayed everything').toEqual(['eu', 'ap', 5000, 410]);
  });
});
