import {describe, expect, it} from 'vitest';
import {createMeter} from '../../src/lib/providers/meter.ts';
import {type Dial, type Line, type Outcome, writeLines} from '../../src/lib/providers/write-lines.ts';

/** A member whose every connection and answer the test gives by hand. */
function member({most = 25} = {}) {
  const time = {now: 0};
  const dials: {accept(): void; admit(): Promise<void>; refuse(): Promise<void>; dropped: boolean; open: boolean}[] = [];
  const under: {ref: string; answer(outcome: Outcome): void; abandoned: boolean; breakOff(): void}[] = [];
  const dial = (gone: () => void): Dial => {
    const {promise, resolve, reject} = Promise.withResolvers<Line>();
    let accepted = false;
    const settled = async () => {
      accepted = false;
      await Promise.resolve();
      await Promise.resolve();
    };
    const made = {
      dropped: false,
      open: true,
      accept: () => {
        accepted = true;
      },
      admit: () => {
        resolve(line);
        return settled();
      },
      refuse: () => {
        made.open = false;
        reject(new Error('refused'));
        return settled();
      },
    };
    const line: Line = {
      write(ref, ended) {
        const one = {
          ref,
          answer: ended,
          abandoned: false,
          breakOff: () => {
            gone();
            made.open = false;
            ended('unknown');
          },
        };
        under.push(one);
        return () => {
          one.abandoned = true;
          made.open = false;
          return 'unknown';
        };
      },
      destroy: () => {
        made.open = false;
      },
    };
    promise.catch(() => undefined);
    dials.push(made);
    return {
      line: promise,
      isAccepted: () => accepted,
      drop: () => {
        made.dropped = true;
        made.open = false;
      },
    };
  };
  const now = () => time.now;
  const writer = writeLines({dial, most: () => most, now, meter: createMeter(now)});
  const outcomes = new Map<string, string>();
  const write = (ref: string) => writer.write(ref, (outcome, unsent) => outcomes.set(ref, unsent ?? outcome));
  /** A write every 20 ms for so long; each is given up after 2 s. */
  const writeFor = (ms: number) => {
    const due: {at: number; giveUp: () => void}[] = [];
    for (const end = time.now + ms; time.now < end; time.now += 20) {
      while ((due[0]?.at ?? Number.POSITIVE_INFINITY) <= time.now) due.shift()?.giveUp();
      due.push({at: time.now + 2000, giveUp: write(`${time.now}`)});
    }
  };
  return {time, dials, under, writer, outcomes, write, writeFor, open: () => dials.filter(({open}) => open).length};
}

describe('the lines of a writer', () => {
  it('are made when they are needed and used again, one write at a time', async () => {
    const {dials, under, write, outcomes} = member();
    write('a');
    await dials[0]?.admit();
    expect(under.map(({ref}) => ref)).toEqual(['a']);
    write('b');
    expect(dials).toHaveLength(2);
    under[0]?.answer('acknowledged');
    expect(under.map(({ref}) => ref)).toEqual(['a', 'b']);
    under[1]?.answer('failed');
    expect([...outcomes]).toEqual([
      ['a', 'acknowledged'],
      ['b', 'failed'],
    ]);
  });

  it('that are refused say so at once, and the next write tries again', async () => {
    const {dials, write, outcomes} = member();
    write('a');
    await dials[0]?.refuse();
    expect(outcomes.get('a')).toBe('failed');
    write('b');
    expect(dials).toHaveLength(2);
  });

  it('that break while a write is under way leave it unknown, and are not used again', async () => {
    const {dials, under, write, outcomes} = member();
    write('a');
    await dials[0]?.admit();
    under[0]?.breakOff();
    expect(outcomes.get('a')).toBe('unknown');
    write('b');
    expect(dials).toHaveLength(2);
  });

  it('of a write that is given up are broken off; one that was never sent has failed', async () => {
    const {dials, under, write, outcomes} = member();
    const giveUpSent = write('a');
    await dials[0]?.admit();
    const giveUpWaiting = write('b');
    giveUpWaiting();
    giveUpSent();
    giveUpSent();
    expect(under[0]?.abandoned).toBe(true);
    expect([...outcomes]).toEqual([
      ['b', 'failed'],
      ['a', 'unknown'],
    ]);
  });

  it('are as many as may be and no more; what finds none free is not sent, and is told', async () => {
    const {dials, under, writer, outcomes} = member({most: 3});
    const giveUps = ['a', 'b', 'c', 'd'].map((ref) => {
      const giveUp = writer.write(ref, (outcome, unsent) => outcomes.set(ref, unsent ?? outcome));
      return giveUp;
    });
    expect(dials).toHaveLength(3);
    await Promise.all(dials.map(({admit}) => admit()));
    expect(under).toHaveLength(3);
    giveUps[0]?.();
    expect([...outcomes.values()]).toEqual(['unsent']);
  });

  it('of a server that takes connections and says nothing stay few, and the first of them are kept for the day it goes on', async () => {
    const {dials, under, open, write, writeFor} = member();
    // Until it is known how long a login takes, none is too late.
    const giveUp = write('first');
    await dials[0]?.admit();
    under[0]?.answer('acknowledged');
    giveUp();
    const originalPush = dials.push.bind(dials);
    dials.push = (...made) => {
      for (const one of made) one.accept();
      return originalPush(...made);
    };
    let most = 0;
    for (let second = 0; second < 60; second += 1) {
      writeFor(1000);
      most = Math.max(most, open());
    }
    expect(most).toBeLessThanOrEqual(11);
    expect(dials.length).toBeLessThan(160);
    expect(dials.slice(1, 4).map(({dropped}) => dropped)).toEqual([false, false, false]);
  });

  it('into a void are tried anew all the time, so that its end is met within 50 ms', () => {
    const {dials, time, open, writeFor} = member();
    for (let second = 0; second < 10; second += 1) {
      const before = dials.length;
      writeFor(1000);
      expect(dials.length - before).toBeGreaterThanOrEqual(20);
      expect(open()).toBeLessThanOrEqual(25);
    }
    expect(time.now).toBe(10_000);
  });

  it('end with the writer, and so does every write', async () => {
    const {dials, write, writer, outcomes, open} = member();
    write('a');
    await dials[0]?.admit();
    write('b');
    writer.close();
    expect([...outcomes.entries()].toSorted()).toEqual([
      ['a', 'unknown'],
      ['b', 'failed'],
    ]);
    expect(open()).toBe(0);
    write('c');
    expect(outcomes.get('c')).toBe('failed');
    expect(dials).toHaveLength(2);
  });
});
