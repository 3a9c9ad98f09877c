import {defineConfig} from 'vitest/config';

// Four projects: `unit` is pure and parallel; `embedded` starts PostgreSQL from npm; `cli` runs the built program; `servers` needs Debian's packages.
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
      {test: {name: 'embedded', include: ['test/**/*.embedded.test.ts'], ...real}},
      {test: {name: 'cli', include: ['test/**/*.cli.test.ts'], ...real}},
      {test: {name: 'servers', include: ['test/**/*.servers.test.ts'], ...real}},
    ],
  },
});
