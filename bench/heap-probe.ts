// Brought into a program of Node by NODE_OPTIONS=--import=…: every so often it collects garbage and appends what is left of the heap to a file, a line of JSON each. BENCH_HEAP: the file
// and how often. The program itself is as it always is.
import {appendFileSync} from 'node:fs';
import {getHeapSpaceStatistics, setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

const {file, everyMs} = JSON.parse(process.env.BENCH_HEAP ?? '{}') as {file?: string; everyMs?: number};
if (file === undefined || everyMs === undefined) throw new Error('BENCH_HEAP must name the file and how often');
/** Where V8 keeps what it has compiled. */
const CODE = /^(?:code|trusted)(?:_large_object)?_space$/u;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setInterval(() => {
  collect();
  const {heapUsed, external, rss} = process.memoryUsage();
  const codeBytes = getHeapSpaceStatistics().reduce(
    (sum, {space_name, space_used_size}) => sum + (CODE.test(space_name) ? space_used_size : 0),
    0,
  );
  appendFileSync(
    file,
    `${JSON.stringify({atMs: Math.round(performance.now()), heapBytes: heapUsed, codeBytes, externalBytes: external, rssBytes: rss})}\n`,
  );
}, everyMs).unref();
