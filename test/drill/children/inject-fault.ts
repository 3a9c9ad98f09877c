import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../../src/lib/fleet/load.ts';
import {worldOf} from '../../../src/lib/operate/world.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import {openFleet} from '../../../src/lib/providers/open-fleet.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';

// A process that injects faults as a drill does, says so, and waits to be killed. `dies`: it is killed when it is about to inject the first.
const [, , file = '', leaseMs = '', ...orders] = process.argv;
const dies = orders.at(-1) === 'dies';
const clock = systemClock();
const fleet = await loadFleet(file, kindsOf(builtinProviders));
const opened = await openFleet({fleet, providers: builtinProviders, clock, defaultStateDir: '/nowhere'});
const fault = opened.fault;
if (fault === null) throw new Error('the fleet file has no faults');
const deadly = {...fault, inject: async () => process.kill(process.pid, 'SIGKILL')};
const world = worldOf({...opened, fault: dies ? deadly : fault}, {life: new AbortController().signal});
const ctx = {runId: 'drill-1', token: 't', signal: AbortSignal.timeout(60_000), now: () => clock.now(), deadline: clock.now() + 60_000};

for (const order of orders.filter((each) => each !== 'dies')) {
  const [region = '', kind = ''] = order.split(':');
  const args = {kind, args: {}, leaseMs: Number(leaseMs)};
  await world.actions.bind({action: 'fault.inject', v: 1, target: {region, fault: kind}, args}).apply(ctx);
}
process.stdout.write('injected\n');
setInterval(() => undefined, 60_000);
