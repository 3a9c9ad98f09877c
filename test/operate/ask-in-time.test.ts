import {describe, expect, it} from 'vitest';
import {RegionctlError} from '../../src/lib/errors.ts';
import {askInTime} from '../../src/lib/operate/ask-in-time.ts';

const {signal} = new AbortController();
const never = () => new Promise<never>(() => undefined);

describe('asking one part of the fleet', () => {
  it('gives the answer, or the code and the reason of a failure', async () => {
    expect(await askInTime(signal, async () => 7)).toEqual({ok: true, value: 7});
    const refused = new RegionctlError('refused', 69, 'the server refuses connections');
    expect(await askInTime(signal, () => Promise.reject(refused))).toEqual({ok: false, code: 'refused', reason: refused.message});
    const thrown = () => {
      throw new Error('at once');
    };
    expect(await askInTime(signal, thrown)).toEqual({ok: false, code: 'unreadable', reason: 'at once'});
  });

  it('ends what never answers at its deadline, also when it does not heed its signal', async () => {
    const begun = performance.now();
    expect(await askInTime(signal, never, 50)).toMatchObject({ok: false, reason: 'timeout expired'});
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it('an interruption is thrown at once, and is no state of the fleet', async () => {
    const stop = new AbortController();
    const asked = askInTime(stop.signal, never, 60_000);
    stop.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
    await expect(askInTime(stop.signal, (own) => Promise.reject(own.reason))).rejects.toThrow('interrupted');
    await expect(askInTime(stop.signal, never, 60_000), 'one that was before').rejects.toThrow('interrupted');
  });
});
