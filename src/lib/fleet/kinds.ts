import type {z} from 'zod';
import {unavailable} from '../errors.ts';

/** The ports that have a part in the fleet file. */
export type PortName = 'probe' | 'store' | 'router' | 'fault' | 'host' | 'notifier' | 'handler' | 'vantage' | 'metrics';

/** What the loader needs of a provider: where it belongs, and the schemas of its part. Every Provider of providers/define.ts is one. */
export type KindProvider = {readonly port: PortName; readonly kind: string} & Kind;

/** One known kind. `memberSchema` and `witness` exist for stores only; `witness` tells which key of a store's part the witness lacks, null = none. */
export type Kind = {readonly schema: z.ZodType; readonly memberSchema?: z.ZodType; witness?(config: never): string | null};

/** The known kinds per port. */
export type ProviderKinds = Readonly<Record<PortName, Readonly<Record<string, Kind>>>>;

/** Sorts providers by port and kind. Throws `provider-duplicate` (exit 69) when two claim the same kind of a port. */
export function kindsOf(providers: readonly KindProvider[]): ProviderKinds {
  const kinds: Record<PortName, Record<string, Kind>> = {
    probe: {},
    store: {},
    router: {},
    fault: {},
    host: {},
    notifier: {},
    handler: {},
    vantage: {},
    metrics: {},
  };
  for (const {port, kind, schema, memberSchema, witness} of providers) {
    if (Object.hasOwn(kinds[port], kind)) throw duplicate(port, kind);
    kinds[port][kind] = {schema, ...(memberSchema === undefined ? {} : {memberSchema}), ...(witness === undefined ? {} : {witness})};
  }
  return kinds;
}

function duplicate(port: PortName, kind: string) {
  return unavailable('provider-duplicate', `two providers are called "${kind}" for the port "${port}"`, {
    suggestions: ['Remove one of the plugins that bring it.'],
  });
}
