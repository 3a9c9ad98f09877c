import {defineConfig} from 'vitest/config';

// `unit` is pure; `embedded` starts PostgreSQL from npm; `e2e` and `cli` run the built program on a lab; `servers` needs Debian's packages.
const real = {testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false, disableConsoleIntercept: true};
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/**/*.{embedded,cli,servers}.test.ts'],
          testTimeout: 20_000,
        },
      },
      // One file at a time: what these tests see depends on real servers being prompt.
      {test: {name: 'embedded', include: ['test/**/*.embedded.test.ts'], exclude: ['test/e2e/**'], ...real}},
      {test: {name: 'e2e', include: ['test/e2e/**/*.embedded.test.ts'], ...real}},
      {test: {name: 'cli', include: ['test/**/*.cli.test.ts'], ...real}},
      {test: {name: 'servers', include: ['test/**/*.servers.test.ts'], ...real}},
    ],
  },
});
