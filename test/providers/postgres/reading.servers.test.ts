import {describe} from 'vitest';
import {noPostgres15} from '../../servers/debian.ts';
import {POSTGRES_15} from '../../servers/debian-ctl.ts';
import {readByMonitor} from './reading-world.ts';

/** The oldest version that is supported: Debian's. */
const programs = {initdb: `${POSTGRES_15}/initdb`, postgres: `${POSTGRES_15}/postgres`, lacks: ['io_method']};

describe.skipIf(noPostgres15 !== null)(
  `reading replication with pg_monitor on PostgreSQL 15${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`,
  () => readByMonitor(15, programs),
);
