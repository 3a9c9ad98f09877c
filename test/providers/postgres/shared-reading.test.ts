import {expect, it} from 'vitest';
import {sharedReading} from '../../../src/lib/providers/postgres/shared-reading.ts';

/** A reading that ends when it is told to; `asked` = the signal of each. */
function reading() {
  const asked: AbortSignal[] = [];
  const ends: ((value: string) => void)[] = [];
  const read = sharedReading((signal) => {
    asked.push(signal);
    return new Promise<string>((resolve) => ends.push(resolve));
  });
  return {asked, read, end: (value: string) => ends.shift()?.(value)};
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('reads once for those who ask before it has begun, and anew for whoever asks later: no answer is older than the question', async () => {
  const {asked, read, end} = reading();
  const both = Promise.all([read(AbortSignal.any([])), read(AbortSignal.any([]))]);
  expect(asked, 'it begins when nobody more asks').toHaveLength(0);
  await turn();
  const later = read(AbortSignal.any([]));
  await turn();
  expect(asked).toHaveLength(2);
  end('first');
  end('second');
  expect([...(await both), await later]).toEqual(['first', 'first', 'second']);
});

it('goes on until the last who asked has given up', async () => {
  const {asked, read} = reading();
  const [one, other] = [new AbortController(), new AbortController()];
  void read(one.signal);
  void read(one.signal);
  void read(other.signal);
  one.abort(new Error('one had enough'));
  await turn();
  expect(asked[0]?.aborted).toBe(false);
  other.abort(new Error('the other one too'));
  expect(asked[0]?.reason).toMatchObject({message: 'the other one too'});
});

it('begins given up for whoever had given up before, and passes on what went wrong', async () => {
  const {asked, read} = reading();
  void read(AbortSignal.abort(new Error('over')));
  await turn();
  expect(asked[0]?.aborted).toBe(true);
  void read(AbortSignal.abort(new Error('over')));
  void read(new AbortController().signal);
  await turn();
  expect(
    asked.map(({aborted}) => aborted),
    'whoever asks after that has an answer of its own',
  ).toEqual([true, true, false]);
  const broken = sharedReading(() => Promise.reject(new Error('no')));
  await expect(Promise.all([broken(AbortSignal.any([])), broken(AbortSignal.any([]))])).rejects.toThrow('no');
  await expect(broken(AbortSignal.any([]))).rejects.toThrow('no');
});
