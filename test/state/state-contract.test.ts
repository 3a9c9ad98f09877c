import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {stateContract} from '../../src/kit/testing.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {planOf, step} from '../run/world.ts';

stateContract({describe, it, expect}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-test-'));
  return {
    open: () => openState({dir, clock: systemClock()}),
    plan: planOf([step('a')]),
    close: async () => rmSync(dir, {recursive: true, force: true}),
  };
});
