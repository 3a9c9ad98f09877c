import type {Notice, NoticeKind, Notifier} from '../../lib/ports/notifier.ts';
import {outcomeOf, type Runner, verdictOf, within, worldTests} from './runner.ts';

/** A notifier whose other side can be asked what arrived, and three of the same kind whose other side fails. */
export type NotifierWorld = {
  readonly notifier: Notifier;
  /** Every notice that arrived since the world was made, as it was told, oldest first; found out without asking the notifier. */
  received(): Promise<readonly unknown[]>;
  /** The other side answers, and says no. */
  readonly refusing: Notifier;
  /** There is no other side: a port on which nobody listens, a program that does not exist. */
  readonly unreachable: Notifier;
  /** The other side never answers. The deadline of this notifier must lie between 100 ms and 3 s. */
  readonly hanging: Notifier;
  /** Passwords, tokens and the like that the notifiers are given: no error may hold one. */
  readonly secrets: readonly string[];
  close?(): Promise<void>;
};

/** Generous: a busy machine is no reason to fail. */
const AT_ONCE_MS = 3000;
const LONGEST_MS = 10_000;
const KINDS: readonly NoticeKind[] = ['start', 'gate', 'approval', 'guard', 'result'];

/** What every notifier must keep. `makeWorld` is called for each test. */
export function notifierContract(runner: Runner, makeWorld: () => Promise<NotifierWorld>): void {
  runner.describe('notifier contract', () => {
    delivery(runner, makeWorld);
    failures(runner, makeWorld);
    cancelling(runner, makeWorld);
  });
}

function delivery(runner: Runner, makeWorld: () => Promise<NotifierWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('has delivered a notice of each kind, once and unchanged, when it says so', async ({notifier, received}) => {
    const told = KINDS.map((kind) => notice({kind, says: `a notice of the kind ${kind}`}));
    for (const [index, each] of told.entries()) {
      await notifier.deliver(each, live());
      expect(await received()).toEqual(told.slice(0, index + 1));
    }
  });

  test('takes every text literally', async ({notifier, received}) => {
    const says = `"quoted" 'single' $(touch pwned) \`ls\` \${HOME} %s \\n <b> ; -- 終わり 🛟\nsecond line`;
    const told = notice({says, detail: {nested: [says, 1.5, null, true]}, run: {kind: 'failover', from: null, to: null}});
    await notifier.deliver(told, live());
    expect(await received()).toEqual([told]);
  });

  test('delivers several at once', async ({notifier, received}) => {
    const told = ['one', 'two', 'three'].map((says) => notice({says}));
    await Promise.all(told.map((each) => notifier.deliver(each, live())));
    const arrived = (await received()) as readonly Notice[];
    expect(arrived.map(({says}) => says).toSorted()).toEqual(['one', 'three', 'two']);
  });
}

function failures(runner: Runner, makeWorld: () => Promise<NotifierWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('fails when the other side says no, each time', async ({refusing}) => {
    for (let time = 0; time < 2; time += 1) expect(await verdictOf(() => refusing.deliver(notice({}), live()))).toBe('refused');
  });

  test('fails when nobody is there, with exit code 69', async ({unreachable}) => {
    expect(await outcomeOf(() => within(LONGEST_MS, unreachable.deliver(notice({}), live())))).toMatchObject({refused: true, exit: 69});
  });

  test('fails by its own deadline when there is no answer, with exit code 69', async ({hanging}) => {
    const delivering = hanging.deliver(notice({}), new AbortController().signal);
    expect(await outcomeOf(() => within(LONGEST_MS, delivering))).toMatchObject({refused: true, exit: 69});
  });

  test('keeps secrets out of its errors', async ({refusing, unreachable, hanging, secrets}) => {
    const outcomes = await Promise.all([refusing, unreachable, hanging].map((each) => outcomeOf(() => each.deliver(notice({}), live()))));
    const said = JSON.stringify(outcomes);
    expect(secrets.filter((secret) => said.includes(secret)).length).toBe(0);
  });
}

function cancelling(runner: Runner, makeWorld: () => Promise<NotifierWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('tells nothing for who has cancelled, and tells the next one', async ({notifier, received}) => {
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    expect((await outcomeOf(() => within(AT_ONCE_MS, notifier.deliver(notice({says: 'cancelled'}), cancelled)))).refused).toBe(true);
    await notifier.deliver(notice({says: 'kept'}), live());
    expect(((await received()) as readonly Notice[]).map(({says}) => says)).toEqual(['kept']);
  });

  test('ends with the reason when it is cancelled under way', async ({hanging}) => {
    const cancel = new AbortController();
    const delivering = outcomeOf(() => hanging.deliver(notice({}), cancel.signal));
    setTimeout(() => cancel.abort(new Error('the run is over')), 30);
    expect(await within(30 + AT_ONCE_MS, delivering)).toMatchObject({refused: true, message: 'the run is over'});
  });
}

function notice(change: Partial<Notice>): Notice {
  const told: Notice = {
    kind: 'result',
    fleet: 'shop',
    runId: 'r-1',
    run: {kind: 'failover', from: 'us-east', to: 'eu-west'},
    at: '2026-01-02T03:04:05.678Z',
    says: 'the run succeeded',
    detail: {gapMs: 640},
  };
  return {...told, ...change};
}

function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
