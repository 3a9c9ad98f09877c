import {describe} from 'vitest';
import {physicalFaults} from './physical-faults.ts';

describe('faults of physical replication on PostgreSQL 18', () => physicalFaults());
