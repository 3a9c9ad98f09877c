import {describe} from 'vitest';
import {logicalFaults} from './logical-faults.ts';

describe('faults of logical replication on PostgreSQL 18', () => logicalFaults(18));
