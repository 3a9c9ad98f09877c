import {describe} from 'vitest';
import {readByMonitor} from './reading-world.ts';

describe('reading replication with pg_monitor on PostgreSQL 18', () => readByMonitor(18));
