import {describe} from 'vitest';
import {noPostgres15} from '../servers/debian.ts';
import {noHaproxy} from '../servers/haproxy.ts';
import {debianGround} from './debian-ground.ts';
import {matrix} from './matrix.ts';

const why = noPostgres15 ?? noHaproxy;
describe.skipIf(why !== null)(`faults of PostgreSQL 15 behind HAProxy${why === null ? '' : ` (skipped: ${why})`}`, () => {
  // The partition is played on the lab, whose proxies are the same.
  matrix(['eu-west', 'ap'], {faults: ['kill', 'freeze'], restarts: []}, debianGround);
});
