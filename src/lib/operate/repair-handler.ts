import {timeoutAwake, unlessAborted} from '../awake.ts';
import {questionText} from '../consistency/repair/handler.ts';
import type {PageJob} from '../consistency/repair/resolve-page.ts';
import {messageOf, unavailable} from '../errors.ts';
import type {Handler, HandlerQuestion} from '../ports/handler.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** One call of a hook, at most. */
const HOOK_MS = 30_000;

/** What decides under a name of the fleet file: a handler of a plugin, opened for its first question, or a hook, which reads the question and prints its answer. */
export function handlerOf(open: OpenFleet, name: string, signal: AbortSignal): ReturnType<PageJob['handler']> {
  const spec = open.fleet.handlers?.find((each) => each.name === name);
  if (spec !== undefined) {
    let opened: Promise<Handler | null | undefined> | undefined;
    const decide = async (question: HandlerQuestion, bounded: AbortSignal): Promise<unknown> => {
      opened ??= (async () => open.handler?.(name))();
      return (await opened)?.decide(question, bounded);
    };
    return {who: `handler ${name}`, ask: (question) => askHandler(open, decide, question, {timeoutMs: spec.timeoutMs, signal})};
  }
  return {
    who: `hook ${name}`,
    ask: (question) => {
      const ctx = {runId: 'plan', token: 'none', signal, now: () => open.clock.now(), deadline: open.clock.now() + HOOK_MS};
      return open.hooks.ask(name, {store: question.store}, questionText(question), ctx);
    },
  };
}

type Asking = {readonly timeoutMs: number; readonly signal: AbortSignal};

/** It is given a copy, so that it cannot change what is written, and is not waited for longer than its deadline whatever it does with its signal. */
async function askHandler(
  {fleet}: OpenFleet,
  decide: (question: HandlerQuestion, bounded: AbortSignal) => Promise<unknown>,
  question: HandlerQuestion,
  {timeoutMs, signal}: Asking,
): Promise<string> {
  const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
  try {
    return JSON.stringify(await unlessAborted(decide(structuredClone(question), bounded), bounded)) ?? '';
  } catch (error) {
    signal.throwIfAborted();
    if (bounded.aborted) throw unavailable('handler-timeout', `it had not answered after ${timeoutMs} ms`, {cause: error});
    // A plugin may not know that what it repeats is a secret of the fleet.
    throw unavailable('handler-failed', fleet.secrets.scrub(messageOf(error)), {cause: error});
  }
}
