import {startObserver} from '../health/observer.ts';
import {formatMs} from '../output/units.ts';
import type {Answer, Check} from '../plan/action.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {holderBesidesShifts} from './conduct.ts';

/** How long our own event loop is watched, and what is too much of a stall or of a jump of the clock, in ms. */
const WATCH_MS = 50;
const MOST_STALL_MS = 500;
/** A stall while our own code is being loaded is over at the next look; one that lasts is there again. */
const LOOKS = 3;
const MOST_JUMP_MS = 500;

/** Questions about ourselves: what we see of the world is worth nothing when we are the ones who are unwell. */
export function ownChecks(open: OpenFleet): readonly Check[] {
  const began = {wall: open.clock.wall(), now: open.clock.now()};
  return [
    {name: 'run.alone', ask: () => alone(open)},
    {
      name: 'observer.sane',
      ask: async (ctx) => {
        for (let look = 1; ; look++) {
          const observer = startObserver();
          const since = performance.now();
          await open.clock.sleep(WATCH_MS, ctx.signal).catch(() => undefined);
          observer.stop();
          const answer = judge(open.clock.wall() - began.wall - (open.clock.now() - began.now), observer.stalledSince(since));
          if (answer.holds === true || look === LOOKS) return answer;
        }
      },
    },
  ];
}

/** `jumpMs`: how far the wall clock ran ahead of the monotonic one; `stallMs`: how long the event loop stood still. */
export function judge(jumpMs: number, stallMs: number): Answer {
  const measured = {jumpMs: Math.round(jumpMs), stallMs: Math.round(stallMs)};
  if (Math.abs(jumpMs) > MOST_JUMP_MS)
    return {holds: null, measured, says: `the clock of this machine jumped by ${formatMs(Math.abs(jumpMs))}: what was seen is not trusted`};
  if (stallMs > MOST_STALL_MS)
    return {holds: null, measured, says: `this process stood still for ${formatMs(stallMs)}: what was seen is not trusted`};
  return {holds: true, measured, says: 'this process and its clock can be trusted'};
}

async function alone(open: OpenFleet): Promise<Answer> {
  const holder = holderBesidesShifts(open, await open.state());
  if (holder === null) return {holds: true, measured: null, says: 'no other run acts on the fleet'};
  const {user, host, pid, runId} = holder;
  return {
    holds: false,
    measured: runId,
    says: `${user}@${host} (pid ${pid}) acts on the fleet${runId === null ? '' : ` with run ${runId}`}`,
  };
}
