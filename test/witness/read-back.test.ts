import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {measureWitness} from '../../src/lib/witness/measure.ts';
import {readBack} from '../../src/lib/witness/read-back.ts';
import type {WitnessLog} from '../../src/lib/witness/witness-log.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {type DoorServer, pageOf, startDoor} from './door.ts';

const clock = systemClock();
const life = new AbortController();
const doors: {close(): Promise<void>}[] = [];
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close();
});

/** A log of acknowledged writes, one every 20 ms; `gapBefore`: a second passes before this one. */
function logOf(count: number, gapBefore = -1): WitnessLog {
  const at = (n: number) => n * 20 + (gapBefore >= 0 && n >= gapBefore ? 1000 : 0);
  const writes = Array.from({length: count}, (_, n) => ({
    n,
    ref: `w-${n}`,
    sentAt: at(n),
    endedAt: at(n) + 3,
    outcome: 'acknowledged' as const,
  }));
  return {sessions: [{openedAt: 0, endedAt: at(count), closed: true, url: ''}], writes, stalls: [], torn: 0};
}

const numbers = (from: number, to: number) => Array.from({length: to - from}, (_, i) => `w-${from + i}`);
const server = (region: string | null, refs: readonly string[]): DoorServer => ({region, rows: refs.map((ref, i) => ({id: i + 1, ref}))});

async function lostBehind(choose: (nth: number, after: number) => DoorServer, log: WitnessLog, more: object = {}) {
  const door = await startDoor(20_820, choose);
  doors.push(door);
  const rows = await readBack({url: door.url, run: 'w', clock, signal: life.signal, settleMs: 0, ...more}, log);
  return {...measureWitness(log, rows), connections: door.connections()};
}

describe('the writes are read back through a door', () => {
  const log = logOf(2400, 1500);
  const kept = [...numbers(0, 1400), ...numbers(1500, 2400)];

  it('and what one server has lost is lost, read over a connection for each page', async () => {
    const {lost, duplicated, connections} = await lostBehind(() => server(null, kept), log);
    expect([lost, duplicated]).toEqual([numbers(1400, 1500), []]);
    expect(connections).toBeGreaterThanOrEqual(9);
  });

  it('and nothing is said to be lost when every other page comes from a server that has nothing, or less', async () => {
    const current = server(null, numbers(0, 2400));
    for (const stale of [server(null, []), server(null, numbers(0, 1450))]) {
      const asked = lostBehind((nth) => (nth % 2 === 0 ? current : stale), log);
      await expect(asked).rejects.toMatchObject({
        code: 'witness-contradicted',
        exit: 69,
        message: expect.stringMatching(/differ|not there either/),
      });
    }
  });

  it('nor when the second page, or every page, is of a server that is not written to any more', async () => {
    const current = server(null, numbers(0, 2400));
    const stale = server(null, numbers(0, 1450));
    for (const choose of [(_: number, after: number) => (after > 0 ? stale : current), () => stale])
      await expect(lostBehind(choose, log)).rejects.toMatchObject({
        message: expect.stringContaining('last 25 acknowledged writes are not there either'),
      });
  });

  it('nor when two named servers answer parts of the same reading, also where the parts are always the same', async () => {
    const [east, west] = [server('east', kept), server('west', [...numbers(0, 1450), ...kept.slice(1400)])];
    const asked = lostBehind((_, after) => (after > 0 ? east : west), logOf(2400), {});
    await expect(asked).rejects.toMatchObject({message: expect.stringMatching(/differ|only parts of the readings/)});
  });

  it('but a newest write is lost that is not with the one that acknowledged it by name', async () => {
    const by = (name: string): WitnessLog => ({...log, writes: log.writes.map((write) => ({...write, by: name}))});
    const holey = server('here', [...numbers(0, 2390), ...numbers(2395, 2400)]);
    expect(await lostBehind(() => holey, by('here'))).toMatchObject({lost: numbers(2390, 2395)});
    for (const unsure of [log, by('there')])
      await expect(lostBehind(() => holey, unsure)).rejects.toMatchObject({message: expect.stringContaining('5 of the last 25')});
  });

  it('and what was lost before a gap is lost also where so few are written that the gap is one of a few writes', async () => {
    const slow = logOf(60, 45);
    // One a second, four seconds of a gap, and fewer after it than the newest that must be there.
    const writes = slow.writes.map((write) => {
      const sentAt = write.n * 1000 + (write.n >= 45 ? 4000 : 0);
      return {...write, sentAt, endedAt: sentAt + 3};
    });
    const there = server('west', [...numbers(0, 40), ...numbers(45, 60)]);
    expect(await lostBehind(() => there, {...slow, writes})).toMatchObject({lost: numbers(40, 45)});
  });

  it('and a server that is catching up is waited for', async () => {
    const virtual = fakeClock();
    const choose = () => (virtual.now() < 3000 ? server('here', kept.slice(0, 1000)) : server('here', kept));
    const {lost} = await lostBehind(choose, log, {clock: virtual, settleMs: 8000});
    expect(lost).toEqual(numbers(1400, 1500));
    expect(virtual.now()).toBeGreaterThanOrEqual(3000);
  });

  it('and a write that nobody acknowledged may come while it is read', async () => {
    const late = {n: 2400, ref: 'w-late', sentAt: 1, endedAt: 2, outcome: 'unknown' as const};
    const without = server(null, kept);
    const behind = lostBehind((nth) => (nth % 2 === 0 ? without : server(null, [...kept, 'w-late'])), {
      ...log,
      writes: [...log.writes, late],
    });
    expect(await behind).toMatchObject({lost: numbers(1400, 1500), unknownButPresent: ['w-late']});
  });

  /** What the readings meet when they ask: `how` says of the nth request that it hangs for 5 s, is refused, or is answered. */
  const doorThat = async (how: (nth: number) => 'hangs' | 'refuses' | DoorServer) => {
    const virtual = fakeClock();
    let nth = 0;
    const get = async (url: URL, signal: AbortSignal) => {
      const done = how(nth++);
      if (done === 'hangs') await virtual.sleep(5000, signal).then(() => Promise.reject(new Error('no answer in time')));
      if (done === 'hangs' || done === 'refuses') throw new Error('connection refused');
      return {text: JSON.stringify(pageOf(done, url)), region: null};
    };
    const read = readBack({url: 'http://door/orders', run: 'w', clock: virtual, signal: life.signal, get}, log);
    const end = await read.then(
      (rows) => measureWitness(log, rows).lost,
      ({code}: {code?: string}) => code,
    );
    return {end, tookMs: virtual.now(), asked: nth};
  };
  const lost = numbers(1400, 1500);

  it('and a page that hangs is asked again, whichever it is, also after others that failed', async () => {
    const well = server('here', kept);
    for (const bad of [0, 1, 2, 5, 9]) expect(await doorThat((nth) => (nth === bad ? 'hangs' : well))).toMatchObject({end: lost});
    expect(await doorThat((nth) => (nth < 3 ? 'hangs' : well))).toMatchObject({end: lost, tookMs: 5200});
    expect(await doorThat((nth) => (nth < 30 ? 'refuses' : nth < 33 ? 'hangs' : well))).toMatchObject({end: lost});
  });

  it('and a door that answers nothing is given up in time', async () => {
    const hanging = await doorThat(() => 'hangs');
    expect([hanging.end, hanging.tookMs]).toEqual(['witness-read-back', 15_400]);
    const refusing = await doorThat(() => 'refuses');
    expect([refusing.end, refusing.tookMs]).toEqual(['witness-read-back', 2800]);
  });

  it('and who is catching up is waited for as long when a page hung before', async () => {
    const found = await doorThat((nth) => (nth < 6 ? 'hangs' : nth < 24 ? server('here', kept.slice(0, 1000)) : server('here', kept)));
    expect(found).toMatchObject({end: lost});
    expect(found.tookMs).toBeGreaterThan(10_400);
  });

  it('and pages without an end are not read for ever', async () => {
    const endless = {region: null, rows: [], next: 1};
    const asked = lostBehind(() => endless, logOf(3), {deadlineMs: 400});
    await expect(asked).rejects.toMatchObject({code: 'witness-read-back', message: expect.stringContaining('no end of pages')});
  });
});

describe('for any split of writes over two servers behind one door', () => {
  type Place = 'east' | 'west' | 'both' | 'nowhere';
  const split = fc.array(fc.constantFrom<Place>('east', 'west', 'both', 'nowhere'), {minLength: 1, maxLength: 60});
  /** Runs of the same answer, and any order of them. */
  const route = fc.array(fc.boolean(), {minLength: 1, maxLength: 40});

  /** Small pages, so that a reading has many of them: as the door would have it that gives at most that many rows. */
  function world(places: readonly Place[], picks: readonly boolean[], named: boolean, most: number) {
    const at = (place: Place) => places.flatMap((each, n) => (each === place || each === 'both' ? [`w-${n}`] : []));
    const [east, west] = [server(named ? 'east' : null, at('east')), server(named ? 'west' : null, at('west'))];
    const answered = new Set<DoorServer>();
    let nth = 0;
    const get = async (url: URL) => {
      const chosen = picks[nth++ % picks.length] === true ? east : west;
      answered.add(chosen);
      return {text: JSON.stringify(pageOf(chosen, url, most)), region: null};
    };
    return {get, answered};
  }

  const lostIn = async (log: WitnessLog, get: ReturnType<typeof world>['get'], settleMs: number) => {
    const read = readBack({url: 'http://door/orders', run: 'w', clock: fakeClock(), signal: life.signal, get, settleMs}, log);
    return await read.then(
      (rows) => measureWitness(log, rows).lost,
      (error: {code?: string}) => {
        expect(error.code).toBe('witness-contradicted');
        return null;
      },
    );
  };

  it('no write is stated lost that a server has which answered any page, when pages name who answered', async () => {
    await fc.assert(
      fc.asyncProperty(
        split,
        route,
        fc.integer({min: 1, max: 20}),
        fc.integer({min: 0, max: 2000}),
        async (places, picks, most, settleMs) => {
          const log = logOf(places.length);
          const {get, answered} = world(places, picks, true, most);
          const lost = await lostIn(log, get, settleMs);
          const there = new Set([...answered].flatMap(({rows}) => rows.map(({ref}) => ref)));
          expect((lost ?? []).filter((ref) => there.has(ref))).toEqual([]);
        },
      ),
      {numRuns: 300},
    );
  });

  it('nor, named or not, when one of the last writes is only on the server that no page came from', async () => {
    await fc.assert(
      fc.asyncProperty(split, fc.boolean(), fc.nat(24), async (places, named, back) => {
        const tail = Array.from({length: 25}, (_, i): Place => (i === back ? 'west' : 'east'));
        const log = logOf(places.length + tail.length);
        const {get} = world([...places, ...tail], [true], named, 1000);
        const lost = await lostIn(log, get, 0);
        expect(lost).toBeNull();
      }),
    );
  });

  it('and behind one server that has the last writes the lost ones are exactly those that it lacks', async () => {
    await fc.assert(
      fc.asyncProperty(split, fc.boolean(), fc.integer({min: 1, max: 20}), async (places, named, most) => {
        const all: readonly Place[] = [...places, ...Array.from({length: 25}, (): Place => 'east')];
        const {get} = world(all, [true], named, most);
        const lacking = all.flatMap((place, n) => (place === 'west' || place === 'nowhere' ? [`w-${n}`] : []));
        expect(await lostIn(logOf(all.length), get, 0)).toEqual(lacking);
      }),
    );
  });
});
