import {describe, expect, it} from 'vitest';
import {handlerOf} from '../../src/lib/operate/repair-handler.ts';
import type {Handler, HandlerQuestion} from '../../src/lib/ports/handler.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';

const question: HandlerQuestion = {
  ...{store: 'orders', table: 'public.notes', key: '1', merged: {}},
  versions: [{region: 'us', row: {id: '1'}, committedAt: null, origin: null}],
};
const life = new AbortController().signal;

/** A fleet with one handler, `opened` counted. */
function fleetOf(handler: () => Promise<Handler>, timeoutMs = 1000) {
  const opened = {count: 0};
  const open = {
    fleet: {
      handlers: [{name: 'ledger', timeoutMs, handler: {kind: 'ledger', config: {}, path: []}}],
      secrets: {scrub: (text: string) => text.replaceAll('hunter2', '***')},
    },
    handler: async () => {
      opened.count++;
      return handler();
    },
    hooks: {ask: async (name: string, place: unknown, line: string) => JSON.stringify([name, place, JSON.parse(line)])},
    clock: {now: () => 0},
  } as unknown as OpenFleet;
  return {open, opened};
}

describe('who decides on a row', () => {
  it('is the handler of that name, opened once, which cannot change what it is asked', async () => {
    const {open, opened} = fleetOf(async () => ({
      decide: async (asked) => {
        Object.assign(asked.versions[0] ?? {}, {region: 'mars'});
        return {take: 'us'};
      },
    }));
    const {who, ask} = handlerOf(open, 'ledger', life);
    expect([who, await ask(question), await ask(question), opened.count]).toEqual(['handler ledger', '{"take":"us"}', '{"take":"us"}', 1]);
    expect(question.versions[0]?.region).toBe('us');
  });

  it('is else the hook of that name', async () => {
    const {open} = fleetOf(() => Promise.reject(new Error('not asked')));
    const {who, ask} = handlerOf(open, 'decide', life);
    expect([who, JSON.parse(await ask(question))]).toEqual(['hook decide', ['decide', {store: 'orders'}, question]]);
  });

  it.each([
    ['hangs, whatever its signal says', () => new Promise<never>(() => {}), 'handler-timeout', 'it had not answered after 50 ms'],
    ['throws', () => Promise.reject(new Error('401 for hunter2')), 'handler-failed', '401 for ***'],
    [
      'throws at once',
      () => {
        throw new Error('no');
      },
      'handler-failed',
      'no',
    ],
  ])('does not decide when it %s', async (_, decide, code, message) => {
    const {open} = fleetOf(async () => ({decide}), 50);
    await expect(handlerOf(open, 'ledger', life).ask(question)).rejects.toMatchObject({code, message, exit: 69});
  });

  it('has not decided when it cannot be opened, or answers nothing', async () => {
    const {open} = fleetOf(() => Promise.reject(new Error('no licence')));
    await expect(handlerOf(open, 'ledger', life).ask(question)).rejects.toMatchObject({code: 'handler-failed', message: 'no licence'});
    const {open: silent} = fleetOf(async () => ({decide: async () => undefined as never}));
    expect(await handlerOf(silent, 'ledger', life).ask(question)).toBe('');
  });

  it('ends with the reason of who was interrupted', async () => {
    const stop = new AbortController();
    const {open} = fleetOf(async () => ({decide: () => new Promise<never>(() => {})}));
    const asked = handlerOf(open, 'ledger', stop.signal).ask(question);
    stop.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
  });
});
