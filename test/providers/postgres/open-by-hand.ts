import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../../src/lib/fleet/load.ts';
import type {Host} from '../../../src/lib/ports/host.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import type {HostProvider} from '../../../src/lib/providers/define.ts';
import {openFleet} from '../../../src/lib/providers/open-fleet.ts';
import type {DebianFleet} from '../../servers/debian.ts';
import {type FullStore, realClock} from './open-store.ts';

/** The store of a fleet that is run by hand, as the program opens it from the fleet file. `close` ends its sessions. */
export async function openByHand({
  fleetFile,
  stateDir,
}: DebianFleet): Promise<{store: FullStore; host(member: string): Promise<Host>; close(): Promise<void>}> {
  const fleet = await loadFleet(fleetFile, kindsOf(builtinProviders));
  const open = await openFleet({fleet, providers: builtinProviders, clock: realClock, defaultStateDir: stateDir});
  return {
    store: open.stores.orders as FullStore,
    host: async (member) => {
      const part = fleet.stores[0]?.members.find(({name}) => name === member)?.host;
      const provider = builtinProviders.find(({port, kind}) => port === 'host' && kind === part?.kind);
      if (part == null || provider === undefined) throw new Error(`${member} has no host`);
      const context = {fleet, secrets: fleet.secrets, clock: realClock, baseDir: stateDir};
      return (provider as HostProvider).create(part.config, member, context);
    },
    close: () => open.close(),
  };
}
