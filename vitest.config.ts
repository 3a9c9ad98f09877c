import {join} from 'node:path';
import {defineConfig} from 'vitest/config';
import {LongestFirst} from './test/longest-first.ts';

// `unit` is pure; `embedded` starts PostgreSQL from npm; `e2e` and `cli` run a lab, most of them by the built program; `servers` needs Debian's
// packages. `e2e-alone`, `cli-alone` and `servers-alone` are those of their kind that see what a busy machine would change.
const alone = {testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false, disableConsoleIntercept: true};
// Two files at a time: each has servers of its own, and waits for them more than it computes.
const inPairs = {...alone, fileParallelism: true};
// Clusters of PostgreSQL are prepared once in a run and copied.
const globalSetup = ['test/servers/templates.ts'];
// Plugins find the kit's sources, so that nothing has to be built before they are tested.
const kit = join(import.meta.dirname, 'src/kit');
const alias = [
  {find: /^regionctl\/kit$/, replacement: `${kit}/index.ts`},
  {find: /^regionctl\/kit\/(command|testing)$/, replacement: `${kit}/$1.ts`},
];
// Whole systems have the machine to themselves, but for those in which nothing is measured and no deadline is near, and those of Patroni, which
// waits for leases of twenty seconds most of the time, and of capacity.
const WHOLE_SYSTEMS = [
  ...['e2e', 'lab', 'matrix'].map((folder) => `test/${folder}/**/*.embedded.test.ts`),
  // Two clients that must agree to within 50 ms.
  'test/drill/store-witness.embedded.test.ts',
];
const WHOLE_SYSTEMS_SERVERS = ['e2e', 'lab', 'matrix'].map((folder) => `test/${folder}/**/!(capacity|patroni).servers.test.ts`);
const UNHURRIED = [
  'test/e2e/{audit,audit-many,capacity-gate,consistency-repair,crash-drill,crash-resume,evacuation,evacuation-resumed,fleet-parts}.embedded.test.ts',
  'test/e2e/{gates,operators,overridden,plan-engine,repair-killed}.embedded.test.ts',
  'test/e2e/{quorum-gone,scenarios,scenarios-moving,secrets,state-trouble}.embedded.test.ts',
  'test/lab/{active-active,active-active-merge,agent,contracts,lab,more-faults}.embedded.test.ts',
];
// Start-up and live views are looked at as they happen; the other commands only have to end.
const CLI_ALONE = ['test/cli/{live-view,start-up,watch,watch-lag}.cli.test.ts'];
export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: {sequencer: LongestFirst},
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/**/*.{embedded,cli,servers,majors}.test.ts'],
          testTimeout: 20_000,
          // Pure parts keep nothing between two files, and 350 processes that import the same modules cost 50 s.
          isolate: false,
          alias,
        },
      },
      {test: {name: 'embedded', include: ['test/**/*.embedded.test.ts'], exclude: WHOLE_SYSTEMS, globalSetup, ...inPairs}},
      {test: {name: 'e2e', include: UNHURRIED, globalSetup, ...inPairs}},
      {test: {name: 'e2e-alone', include: WHOLE_SYSTEMS, exclude: UNHURRIED, globalSetup, ...alone}},
      {test: {name: 'cli', include: ['test/**/*.cli.test.ts'], exclude: CLI_ALONE, ...inPairs}},
      {test: {name: 'cli-alone', include: CLI_ALONE, ...alone}},
      {test: {name: 'servers', include: ['test/**/*.servers.test.ts'], exclude: WHOLE_SYSTEMS_SERVERS, alias, globalSetup, ...inPairs}},
      // By `npm run test:majors` only: it fetches their programs.
      {test: {name: 'majors', include: ['test/**/*.majors.test.ts'], globalSetup, ...alone}},
      {test: {name: 'servers-alone', include: WHOLE_SYSTEMS_SERVERS, globalSetup, ...alone}},
    ],
  },
});
