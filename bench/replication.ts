// Replication as issue 5 asks for it: what one reading of seven regions costs (replication-readings.ts), and what a loss preview was worth when the primary
// was killed (replication-kills.ts). PostgreSQL 18 from npm; kept in bench/results/replication.json.
import {loadavg} from 'node:os';
import {measureKills} from './replication-kills.ts';
import {measureReadings} from './replication-readings.ts';
import {createReport} from './report.ts';

const report = createReport('replication');
const [only] = process.argv.slice(2);
console.log(`Load of this machine before: ${loadavg()[0]?.toFixed(2)}`);
if (only !== 'kills') await measureReadings(report);
if (only !== 'readings') await measureKills(report);
if (only === undefined) report.keep();
