// Appends to the history of a fleet for ever, and prints each round once it is acknowledged. Arguments: folder, name of the series, time between two rounds in ms.
import {openHistory} from '../../../src/lib/state/capacity-history.ts';
import {realClock as clock} from '../../health/real-clock.ts';

const [dir = '', name = '', everyMs = '0'] = process.argv.slice(2);
const history = await openHistory({dir, fleet: 'shop', clock});
for (let round = 0; ; round += 1) {
  const readings = ['us', 'eu', null].map((region) => ({series: name, region, at: 1_700_000_000_000 + round * 1000, value: round}));
  history.append(readings, Number.MAX_SAFE_INTEGER);
  process.stdout.write(`${round}\n`);
  if (everyMs !== '0') await clock.sleep(Number(everyMs));
}
