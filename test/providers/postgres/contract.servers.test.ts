import {describe, expect, it} from 'vitest';
import {storeContract} from '../../../src/kit/contracts/store.ts';
import {noPostgres15} from '../../servers/debian.ts';
import {POSTGRES_15} from '../../servers/debian-ctl.ts';
import {makeStoreWorld} from './store-world.ts';

/** The oldest version that is supported: Debian's. */
const programs = {initdb: `${POSTGRES_15}/initdb`, postgres: `${POSTGRES_15}/postgres`, lacks: ['io_method']};

describe.skipIf(noPostgres15 !== null)(`PostgreSQL 15${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`, () => {
  storeContract({describe, it, expect}, () => makeStoreWorld(programs));
});
