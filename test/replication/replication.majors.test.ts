import {join} from 'node:path';
import {describe} from 'vitest';
import {readByMonitor} from '../providers/postgres/reading-world.ts';
import {logicalFaults} from './logical-faults.ts';
import {physicalFaults} from './physical-faults.ts';

/** Folders of programs by major: `npm run test:majors` says where. */
const majors = Object.entries(JSON.parse(process.env.REGIONCTL_MAJORS ?? '{}') as Record<string, string>);

describe.each(majors)('PostgreSQL %s', (major, bin) => {
  const programs = {initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), lacks: ['io_method']};
  describe('reading with pg_monitor', () => readByMonitor(Number(major), programs));
  describe('faults of physical replication', () => physicalFaults(programs));
  describe('faults of logical replication', () => logicalFaults(Number(major), programs));
});
