import {getEventListeners} from 'node:events';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {expect, it} from 'vitest';
import {watchAndDrain} from '../../src/lib/operate/drain-watch.ts';
import {listRuns} from '../../src/lib/operate/runs.ts';
import {drainWorld} from './drain-world.ts';

/** `LEAK=40 vitest run --project unit test/operate/drain-leak.test.ts`: breakers flap for virtual hours, for so many seconds. */
it.skipIf(process.env.LEAK === undefined)('drains for hours without growing', {timeout: 300_000}, async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const world = await drainWorld();
  const leave = new AbortController().signal;
  const open = world.open();
  const {monitor} = await watchAndDrain(open, {staleMs: 5000, intervalMs: 1000, leave});
  const began = world.clock.wall();
  const heaps: number[] = [];
  let last = 0;
  const flap = setInterval(() => {
    const minute = Math.floor((world.clock.wall() - began) / 60_000);
    if (minute % 6 < 3) world.now.late.add('ap');
    else world.now.late.delete('ap');
    const hours = (world.clock.wall() - began) / 3_600_000;
    if (hours - last < 0.5) return;
    last = hours;
    gc();
    heaps.push(process.memoryUsage().heapUsed / 1e6);
    const {length} = process.getActiveResourcesInfo();
    const heap = heaps.at(-1)?.toFixed(1);
    const listeners = getEventListeners(leave, 'abort').length;
    process.stdout.write(
      `${hours.toFixed(1)} h: heap ${heap} MB, listeners ${listeners}, resources ${length}, writes ${world.now.writes}\n`,
    );
  }, 2);
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.LEAK) * 1000));
  clearInterval(flap);
  process.stdout.write(`runs ${(await listRuns(open)).length}\n`);
  await monitor.stop();
  world.end();
  expect(heaps.length).toBeGreaterThan(2);
});
