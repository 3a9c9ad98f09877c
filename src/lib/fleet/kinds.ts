import type {z} from 'zod';
import {unavailable} from '../errors.ts';

/** The ports that have a part in the fleet file. */
export type PortName = 'probe' | 'store' | 'router' | 'fault' | 'host' | 'notifier' | 'vantage';

/** What the loader needs of a provider: where it belongs, and the schemas of its part. Every Provider of providers/define.ts is one. */
export type KindProvider = {readonly port: PortName; readonly kind: string; readonly schema: z.ZodType; readonly memberSchema?: z.ZodType};

/** The known kinds per port. `memberSchema` exists for stores only. */
export type ProviderKinds = Readonly<
  Record<PortName, Readonly<Record<string, {readonly schema: z.ZodType; readonly memberSchema?: z.ZodType}>>>
>;

/** Sorts providers by port and kind. Throws `provider-duplicate` (exit 69) when two claim the same kind of a port. */
export function kindsOf(providers: readonly KindProvider[]): ProviderKinds {
  const kinds: Record<PortName, Record<string, {schema: z.ZodType; memberSchema?: z.ZodType}>> = {
    probe: {},
    store: {},
    router: {},
    fault: {},
    host: {},
    notifier: {},
    vantage: {},
  };
  for (const {port, kind, schema, memberSchema} of providers) {
    if (Object.hasOwn(kinds[port], kind)) throw duplicate(port, kind);
    kinds[port][kind] = memberSchema === undefined ? {schema} : {schema, memberSchema};
  }
  return kinds;
}

function duplicate(port: PortName, kind: string) {
  return unavailable('provider-duplicate', `two providers are called "${kind}" for the port "${port}"`, {
    suggestions: ['Remove one of the plugins that bring it.'],
  });
}
