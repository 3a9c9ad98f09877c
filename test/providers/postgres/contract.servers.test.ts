import {describe, expect, it} from 'vitest';
import {storeContract} from '../../../src/kit/contracts/store.ts';
import {makeStoreWorld} from './store-world.ts';

const bin = '/usr/lib/postgresql/15/bin';

// The oldest version that is supported: Debian's.
storeContract({describe, it, expect}, () => makeStoreWorld({initdb: `${bin}/initdb`, postgres: `${bin}/postgres`, lacks: ['io_method']}));
