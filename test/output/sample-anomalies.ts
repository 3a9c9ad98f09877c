import {findAnomalies} from '../../src/lib/operate/anomalies.ts';
import {busyDays} from '../capacity/anomaly/streams.ts';
import {diskSeries} from '../capacity/exhaustion/disks.ts';

const orders = busyDays(6);
orders[700] = 700;
for (let row = 1300; row < orders.length; row++) orders[row] = (orders[row] ?? 0) + 250;
const gap = {
  kind: 'gap',
  count: 1,
  from: Date.UTC(2026, 0, 6, 3),
  to: Date.UTC(2026, 0, 6, 4),
  says: 'Once nothing was measured for longer than usual: scores go on with what comes after.',
} as const;

/** A series with a spike and a level that stays, one in which nothing stands out, and one that is too short. */
export const anomalies = findAnomalies(
  [
    {...diskSeries(orders, null), name: 'orders', region: 'us-east-1', remarks: [gap]},
    {...diskSeries(busyDays(5), null), name: 'logins'},
    {...diskSeries(new Float64Array(20), null), name: 'young', region: null},
  ],
  null,
).document;
