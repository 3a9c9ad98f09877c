import {isDeepStrictEqual} from 'node:util';
import {answerOf, type HandlerTable} from '../../lib/consistency/repair/handler.ts';
import type {Handler, HandlerAnswer, HandlerQuestion} from '../../lib/ports/handler.ts';
import {outcomeOf, type Runner, within, worldTests} from './runner.ts';

/** A handler, questions to ask it, and others of the same kind whose other side fails, where they have one. */
export type HandlerWorld = {
  readonly handler: Handler;
  /** The columns that rows of the questions have, and those of their key. */
  readonly table: HandlerTable;
  /** It decides on each of these, between two versions or more. */
  readonly decided: readonly HandlerQuestion[];
  /** It leaves this one to a person; absent = it decides on everything. */
  readonly undecided?: HandlerQuestion;
  /** There is no other side. Absent = it has none to ask. */
  readonly unreachable?: Handler;
  /** The other side never answers. Absent = it has none to ask. */
  readonly hanging?: Handler;
  /** Passwords, tokens and the like that the handlers are given: no answer and no error may hold one. */
  readonly secrets: readonly string[];
  close?(): Promise<void>;
};

/** Generous: a busy machine is no reason to fail. */
const AT_ONCE_MS = 3000;
const LONGEST_MS = 10_000;

/** What every handler must keep. `makeWorld` is called for each test. */
export function handlerContract(runner: Runner, makeWorld: () => Promise<HandlerWorld>): void {
  runner.describe('handler contract', () => {
    answers(runner, makeWorld);
    failures(runner, makeWorld);
  });
}

function answers(runner: Runner, makeWorld: () => Promise<HandlerWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('decides by an answer that a repair can use', async ({handler, table, decided}) => {
    expect(decided.length > 0).toBe(true);
    for (const question of decided) {
      const decision = answerOf('handler', JSON.stringify(await handler.decide(question, live())) ?? '', question, table);
      expect(decision.kind === 'left' ? decision.why : 'a row').toBe('a row');
    }
  });

  test('answers the same again, whatever the order of the versions', async ({handler, decided}) => {
    for (const question of decided) {
      const first = await handler.decide(question, live());
      expect(await handler.decide(question, live())).toEqual(first);
      const turned = {...question, versions: question.versions.toReversed()};
      expect(rowOf(await handler.decide(turned, live()), turned)).toEqual(rowOf(first, question));
    }
  });

  test('changes nothing of what it is asked', async ({handler, decided}) => {
    for (const question of decided) {
      const given = structuredClone(question);
      await handler.decide(given, live());
      expect(isDeepStrictEqual(given, question)).toBe(true);
    }
  });

  test('answers several at once, each its own', async ({handler, decided}) => {
    const single: HandlerAnswer[] = [];
    for (const question of decided) single.push(await handler.decide(question, live()));
    expect(await Promise.all(decided.map((question) => handler.decide(question, live())))).toEqual(single);
  });

  test('leaves what it cannot decide to a person, and says why', async ({handler, undecided}) => {
    if (undecided === undefined) return;
    const answer = await handler.decide(undecided, live());
    expect('leave' in answer && answer.leave.trim() !== '').toBe(true);
  });
}

function failures(runner: Runner, makeWorld: () => Promise<HandlerWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('decides nothing for who has cancelled', async ({handler, decided}) => {
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    for (const question of decided) expect(await refusal(handler, question, cancelled)).toBe('cancelled');
  });

  test('ends with the reason when it is cancelled under way', async ({hanging, decided}) => {
    if (hanging === undefined) return;
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error('it took too long')), 30);
    for (const question of decided.slice(0, 1)) expect(await refusal(hanging, question, cancel.signal)).toBe('it took too long');
  });

  test('decides nothing when nobody is there to ask', async ({unreachable, decided}) => {
    if (unreachable === undefined) return;
    for (const question of decided.slice(0, 1))
      expect(await outcomeOf(() => within(LONGEST_MS, unreachable.decide(question, live())))).toMatchObject({refused: true, exit: 69});
  });

  test('keeps secrets out of its answers and errors', async ({handler, unreachable, decided, undecided, secrets}) => {
    const all = [...decided, ...(undecided === undefined ? [] : [undecided])];
    const answered = await Promise.all(all.map((question) => handler.decide(question, live())));
    const failed = await Promise.all(
      decided.flatMap((question) => (unreachable === undefined ? [] : [outcomeOf(() => unreachable.decide(question, live()))])),
    );
    const said = JSON.stringify([answered, failed]);
    expect(secrets.filter((secret) => said.includes(secret)).length).toBe(0);
  });
}

/** With what it ended; `it answered` = it did not. */
async function refusal(handler: Handler, question: HandlerQuestion, signal: AbortSignal): Promise<string> {
  const outcome = await outcomeOf(() => within(AT_ONCE_MS, handler.decide(question, signal)));
  return outcome.refused ? (outcome.message ?? '') : 'it answered';
}

/** The row that an answer comes to: to take one of two regions that have the same is no other answer. */
function rowOf(answer: HandlerAnswer, {versions}: HandlerQuestion): unknown {
  if ('take' in answer) return versions.find(({region}) => region === answer.take)?.row ?? null;
  return 'row' in answer ? answer.row : answer;
}

function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
