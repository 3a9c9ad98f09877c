import {createVault} from '../../../../src/lib/fleet/vault.ts';
import {execFault} from '../../../../src/lib/providers/exec/fault.ts';
import {execFaultSchema} from '../../../../src/lib/providers/exec/fault-provider.ts';
import {systemClock} from '../../../../src/lib/run/system-clock.ts';

// Injects a fault as regionctl does, and is killed meanwhile.
const baseDir = process.cwd();
const cut = {inject: ['/bin/sh', 'inject.sh'], heal: ['/bin/true'], prove: ['/bin/true']};
const clock = systemClock();
const fault = execFault(execFaultSchema.parse({faults: {cut}}), {
  fleet: {name: 'lab', regions: [{name: 'east'}], routes: []} as never,
  secrets: createVault({baseDir, env: {}}),
  ...{clock, baseDir},
});
const ctx = {runId: 'run-7', token: 't', signal: new AbortController().signal, now: clock.now, deadline: clock.now() + 60_000};
await fault.inject(ctx, {kind: 'cut', region: 'east', args: {}, leaseMs: 60_000});
