import {expect, it} from 'vitest';
import {handlerContract} from '../../../src/kit/testing.ts';
import {unavailable} from '../../../src/lib/errors.ts';
import type {Handler, HandlerAnswer, HandlerQuestion} from '../../../src/lib/ports/handler.ts';
import {failuresOf} from './failures.ts';

const SECRET = 'only-for-tests';
const version = (region: string, body: string | null) => ({
  ...{region, row: body === null ? null : {id: '1', body}, committedAt: null, origin: null},
});
const question = (...bodies: readonly (string | null)[]): HandlerQuestion => ({
  ...{store: 'orders', table: 'public.notes', key: '1', merged: {}},
  versions: bodies.map((body, index) => version(`r${index}`, body)),
});

/** The longest text; of two of the same length neither. */
function longest({versions}: HandlerQuestion): HandlerAnswer {
  const sorted = versions.toSorted((a, b) => (b.row?.body?.length ?? 0) - (a.row?.body?.length ?? 0));
  const [first, second] = sorted;
  if (first === undefined || first.row?.body?.length === second?.row?.body?.length) return {leave: 'both are as long'};
  return {take: first.region};
}
const honest: Handler = {
  decide: async (asked, signal) => {
    signal.throwIfAborted();
    return longest(asked);
  },
};
const unreachable: Handler = {decide: () => Promise.reject(unavailable('handler-unreachable', 'nobody listens there'))};
const hanging: Handler = {
  decide: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
};

function said(lie: Partial<{handler: Handler; unreachable: Handler; hanging: Handler}> = {}): Promise<string[]> {
  return failuresOf((runner) =>
    handlerContract(runner, async () => ({
      handler: honest,
      table: {columns: ['id', 'body'], key: ['id']},
      decided: [question('a', 'bb'), question('ccc', null, 'b')],
      undecided: question('a', 'b'),
      ...{unreachable, hanging, secrets: [SECRET], ...lie},
    })),
  );
}

const lying = (answer: (asked: HandlerQuestion) => HandlerAnswer): Handler => ({
  decide: async (asked, signal) => {
    signal.throwIfAborted();
    return answer(asked);
  },
});

it('finds nothing against an honest handler', async () => {
  expect(await said()).toEqual([]);
});

it.each<[string, Parameters<typeof said>[0], string]>([
  [
    'answers a row of another key',
    {handler: lying((asked) => ('take' in longest(asked) ? {row: {id: '2', body: 'x'}} : longest(asked)))},
    'that a repair can use',
  ],
  [
    'answers a row without a column',
    {handler: lying((asked) => ('take' in longest(asked) ? {row: {id: '1'}} : longest(asked)))},
    'that a repair can use',
  ],
  [
    'takes a region that there is none of',
    {handler: lying((asked) => ('take' in longest(asked) ? {take: 'mars'} : longest(asked)))},
    'that a repair can use',
  ],
  ['goes by the order of the versions', {handler: lying(({versions}) => ({take: versions[0]?.region ?? ''}))}, 'whatever the order'],
  [
    'changes the question',
    {
      handler: lying((asked) => {
        const answer = longest(asked);
        Object.assign(asked.versions[0] ?? {}, {row: null});
        return answer;
      }),
    },
    'changes nothing',
  ],
  [
    'mixes up two questions',
    {
      handler: (() => {
        let last: HandlerQuestion | null = null;
        return {
          decide: async (asked, signal) => {
            signal.throwIfAborted();
            last = asked;
            await new Promise((resolve) => setTimeout(resolve, 5));
            return longest(last);
          },
        } satisfies Handler;
      })(),
    },
    'several at once',
  ],
  [
    'decides what it cannot know',
    {handler: lying((asked) => ('take' in longest(asked) ? longest(asked) : {take: 'r0'}))},
    'leaves what it cannot decide',
  ],
  ['decides for who has cancelled', {handler: {decide: async (asked) => longest(asked)}}, 'decides nothing for who has cancelled'],
  [
    'hides why it was cancelled',
    {hanging: {decide: (...call) => hanging.decide(...call).catch(() => Promise.reject(new Error('it failed')))}},
    'ends with the reason',
  ],
  ['decides by itself when nobody is there', {unreachable: honest}, 'when nobody is there'],
  [
    'tells a secret in its error',
    {unreachable: {decide: () => Promise.reject(unavailable('handler-unreachable', `401 for ${SECRET}`))}},
    'keeps secrets out',
  ],
])('finds a handler that %s', async (_, lie, failingTest) => {
  expect((await said(lie)).join('\n')).toContain(failingTest);
});
