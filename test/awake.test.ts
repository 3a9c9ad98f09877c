import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {within} from '../src/lib/awake.ts';

const hang = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), {once: true}));

describe('what is done within a deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']});
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('answers, and leaves neither a timer nor a listener behind', async () => {
    const outer = new AbortController();
    let own: AbortSignal | null = null;
    const answer = within(outer.signal, 1000, async (signal) => {
      own = signal;
      return 'well';
    });
    expect(await answer).toBe('well');
    expect(vi.getTimerCount()).toBe(0);
    outer.abort(new Error('over'));
    expect(own).toMatchObject({aborted: false});
    await expect(within(new AbortController().signal, 1000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is ended by the deadline, and by who asks for it', async () => {
    const late = expect(within(new AbortController().signal, 1000, hang)).rejects.toMatchObject({name: 'TimeoutError'});
    vi.advanceTimersByTime(1000);
    await late;
    const outer = new AbortController();
    const ended = expect(within(outer.signal, 1000, hang)).rejects.toThrow('had enough');
    outer.abort(new Error('had enough'));
    await ended;
    expect(vi.getTimerCount()).toBe(0);
    const before = within(AbortSignal.abort(new Error('over')), 1000, async (signal) => signal.throwIfAborted());
    await expect(before).rejects.toThrow('over');
  });
});
