import {describe, expect, it} from 'vitest';
import {storeContract} from '../../../src/kit/contracts/store.ts';
import {makeStoreWorld} from './store-world.ts';

storeContract({describe, it, expect}, () => makeStoreWorld());
