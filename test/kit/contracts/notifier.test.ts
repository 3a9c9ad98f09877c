import {expect, it} from 'vitest';
import {notifierContract} from '../../../src/kit/testing.ts';
import {unavailable} from '../../../src/lib/errors.ts';
import type {Notice, Notifier} from '../../../src/lib/ports/notifier.ts';
import {failuresOf} from './failures.ts';

const SECRET = 'only-for-tests';

/** A notifier that keeps its promises, in memory. */
function honest(arrived: unknown[]): Notifier {
  return {
    deliver: async (notice, signal) => {
      signal.throwIfAborted();
      arrived.push(JSON.parse(JSON.stringify(notice)));
    },
  };
}

const failing = (code: string): Notifier => ({deliver: () => Promise.reject(unavailable(code, 'it was not told'))});

/** Waits for the deadline of 100 ms, or for the signal. */
const waiting: Notifier = {
  deliver: (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      setTimeout(() => reject(unavailable('notice-undelivered', 'no answer within 100 ms')), 100);
    }),
};

type Others = Partial<Record<'refusing' | 'unreachable' | 'hanging', Notifier>>;

function said(lie: (arrived: unknown[], notifier: Notifier) => Partial<Notifier>, others: Others = {}): Promise<string[]> {
  return failuresOf((runner) =>
    notifierContract(runner, async () => {
      const arrived: unknown[] = [];
      const notifier = honest(arrived);
      return {
        notifier: {...notifier, ...lie(arrived, notifier)},
        received: async () => arrived,
        refusing: failing('notice-refused'),
        unreachable: failing('notice-undelivered'),
        hanging: waiting,
        secrets: [SECRET],
        ...others,
      };
    }),
  );
}

it('finds nothing against an honest notifier', async () => {
  expect(await said(() => ({}))).toEqual([]);
});

it.each<[string, Parameters<typeof said>, string]>([
  ['drops what it is told', [() => ({deliver: async () => undefined})], 'has delivered a notice of each kind'],
  [
    'says so before it is true',
    [(_, {deliver}) => ({deliver: async (...call) => void setTimeout(() => void deliver(...call).catch(() => undefined), 5)})],
    'has delivered a notice of each kind',
  ],
  [
    'tells everything twice',
    [
      (_, {deliver}) => ({
        deliver: async (...call) => {
          await deliver(...call);
          await deliver(...call);
        },
      }),
    ],
    'once and unchanged',
  ],
  [
    'tells some kinds only',
    [(_, {deliver}) => ({deliver: async (notice, signal) => (notice.kind === 'gate' ? undefined : deliver(notice, signal))})],
    'of each kind',
  ],
  [
    'loses the detail',
    [(_, {deliver}) => ({deliver: (notice, signal) => deliver({...notice, detail: null}, signal)})],
    'takes every text literally',
  ],
  [
    'expands what looks like a variable',
    [(_, {deliver}) => ({deliver: (notice, signal) => deliver({...notice, says: notice.says.replace(`\${HOME}`, '/root')}, signal)})],
    'takes every text literally',
  ],
  [
    'forgets one of several',
    [
      (arrived) => {
        let last: Notice | null = null;
        return {
          deliver: async (notice, signal) => {
            signal.throwIfAborted();
            last = notice;
            await new Promise((resolve) => setTimeout(resolve, 5));
            if (last === notice) arrived.push(notice);
          },
        };
      },
    ],
    'several at once',
  ],
  ['takes a no for delivered', [() => ({}), {refusing: {deliver: async () => undefined}}], 'says no'],
  ['fails without a code', [() => ({}), {refusing: {deliver: () => Promise.reject(new Error('no'))}}], 'says no'],
  ['needs nobody to be there', [() => ({}), {unreachable: {deliver: async () => undefined}}], 'nobody is there'],
  ['takes no answer for delivered', [() => ({}), {hanging: {deliver: async () => undefined}}], 'by its own deadline'],
  [
    'ignores the signal',
    [(_, {deliver}) => ({deliver: (notice) => deliver(notice, new AbortController().signal)})],
    'tells nothing for who has cancelled',
  ],
  [
    'hides why it was cancelled',
    [() => ({}), {hanging: {deliver: (...call) => waiting.deliver(...call).catch(() => Promise.reject(unavailable('x', 'it failed')))}}],
    'ends with the reason',
  ],
  [
    'tells a secret in its error',
    [() => ({}), {refusing: {deliver: () => Promise.reject(unavailable('x', `401 for Bearer ${SECRET}`))}}],
    'keeps secrets out',
  ],
])('finds a notifier that %s', async (_, lie, failingTest) => {
  expect((await said(...lie)).join('\n')).toContain(failingTest);
});
