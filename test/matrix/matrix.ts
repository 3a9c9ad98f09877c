import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Fault, Ground} from './ground.ts';
import {playRound, prepare, type Round, type Shown} from './round.ts';

const FAULTS: readonly Fault[] = ['kill', 'freeze', 'partition'];
const RESTARTS = (process.env.REGIONCTL_MATRIX_RESTARTS ?? '0,100,500,2000').split(',').map(Number);

/** The whole matrix takes minutes: `npm run soak:matrix`. Otherwise only a sample of it is played. */
const WHOLE = process.env.REGIONCTL_MATRIX === 'whole';
/** How long a primary that came back may acknowledge alone. Half a second is the promise; beside a whole suite the machine itself is late. */
const LATE_MS = WHOLE ? 500 : 2000;

type Sample = {readonly faults: readonly Fault[]; readonly restarts: readonly number[]};

/** Every fault three times in a row, with the slow standby swapped each time, and the killed primary started again at different moments. */
function rounds(standbys: readonly string[], sample: Sample): readonly Round[] {
  const slowAt = (index: number): string => standbys[index % standbys.length] ?? '';
  const faults = faultsPlayed(sample);
  const restarts = WHOLE ? RESTARTS : sample.restarts;
  return [...faults.map((fault) => ({fault, restartMs: null})), ...restarts.map((restartMs) => ({fault: 'kill' as const, restartMs}))].map(
    (round, index) => ({...round, slow: slowAt(index)}),
  );
}

/** The whole matrix plays each three times; told which restarts to play, only those. */
function faultsPlayed(sample: Sample): readonly Fault[] {
  if (!WHOLE) return sample.faults;
  return process.env.REGIONCTL_MATRIX_RESTARTS === undefined ? FAULTS.flatMap((fault) => [fault, fault, fault]) : [];
}

/** Tries the faults out on one ground after another round, and proves what each must show. */
export function matrix(standbys: readonly string[], sample: Sample, makeGround: () => Promise<Ground>): void {
  let ground: Ground;
  const shown: Shown[] = [];
  beforeAll(async () => {
    ground = await makeGround();
    await prepare(ground);
  });
  afterAll(() => ground?.remove());

  for (const round of rounds(standbys, sample)) {
    const {fault, slow, restartMs} = round;
    const when = restartMs === null ? '' : `, the server started again after ${restartMs} ms`;
    it(`${fault} while ${slow} lags${when}: nothing that the quorum held is lost, and nobody acknowledges beside the new primary`, async () => {
      const seen = await playRound(ground, round);
      shown.push(seen);
      process.stdout.write(`${lineOf(round, seen)}\n`);
      if (restartMs === null) expectGuarded(ground, seen);
      else expect([0, 1, 2, 77], seen.over.text).toContain(seen.over.code);
      expectCounted(seen);
    });
  }

  // A share of one or two rounds would be a coin.
  if (!WHOLE) return;
  it('the wanted target lacked the last write in at least 30 % of the rounds', () => {
    const moved = shown.filter((each) => each.moved);
    expect(moved.length).toBeGreaterThanOrEqual(faultsPlayed(sample).length);
    expect(moved.filter(({lacked}) => lacked).length / moved.length).toBeGreaterThanOrEqual(0.3);
  });
}

/** The run ended well, and told exactly what was acknowledged without the quorum and is lost. */
function expectGuarded({alone}: Ground, {over, counted, onlyOnOld, kept, lateMs}: Shown): void {
  expect([over.code, over.document?.outcome], over.text).toEqual([counted === null || counted === 0 ? 0 : 1, 'succeeded']);
  // Before it was overwritten, every row of it was kept.
  expect(kept ?? 0).toBeGreaterThanOrEqual(onlyOnOld ?? 0);
  if (alone) expect(kept ?? 0).toBe(onlyOnOld ?? 0);
  expect(lateMs ?? 0).toBeLessThanOrEqual(LATE_MS);
}

/** No acknowledged write is lost without being counted. Also what was committed and whose answer never came is counted; nothing else is. */
function expectCounted({counted, lostLesser, onlyOnOld}: Shown): void {
  expect(counted ?? 0).toBeGreaterThanOrEqual(lostLesser);
  expect(counted ?? 0).toBeLessThanOrEqual(onlyOnOld ?? 0);
}

function lineOf(
  {fault, slow, restartMs}: Round,
  {over, moved, lacked, lostLesser, counted, onlyOnOld, lateMs, firstWriteMs}: Shown,
): string {
  const start = restartMs === null ? '' : ` +${restartMs} ms`;
  const outcome = moved ? 'moved' : `${over.code} ${over.document?.outcome ?? 'refused'}`;
  return `    ${fault}${start}, ${slow} lags${lacked ? ', the target lacked' : ''}: ${outcome}, first write ${firstWriteMs} ms, lost ${lostLesser}, counted ${counted}, rows only there ${onlyOnOld}, late ${lateMs} ms`;
}
