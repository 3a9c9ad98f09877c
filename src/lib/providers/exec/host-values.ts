import {refused} from '../../errors.ts';
import type {ProviderContext} from '../define.ts';
import {PLACEHOLDER, type Placeholder} from './host-placeholders.ts';
import type {HostConfig} from './host-provider.ts';

/** What stands for each placeholder; null = the fleet file does not say. */
export type Values = Readonly<Record<Placeholder, string | null>>;

/* ssh hands its arguments to a shell on the other side. None of these signs means anything to one, and nothing that begins with a dash is taken
   for an option. */
const HARMLESS = /^(?!-)[\w./:@%+-]*$/;

/**
 * The values of the member whose host is `config`, and of the one that it is to follow (null = nobody: those are empty). Throws
 * `unknown-upstream` (77) for one that the store does not have.
 */
export function placeholdersOf(config: HostConfig, member: string, upstream: string | null, {fleet}: ProviderContext): Values {
  // Two stores may have members of the same name; only one of them has this very host.
  const store = fleet.stores.find(({members}) => members.some(({name, host}) => name === member && host?.config === config));
  const partOf = (name: string) => store?.members.find((each) => each.name === name);
  const own = wayOf(partOf(member)?.config);
  const {replicationUser} = Object(store?.config) as {replicationUser?: string};
  const base = {member, user: replicationUser ?? null, passfile: own.replicationPassfile ?? null};
  if (upstream === null) return {...base, upstream: '', 'upstream.host': '', 'upstream.port': ''};
  const other = upstream === member ? undefined : partOf(upstream);
  if (other === undefined) {
    const others = (store?.members ?? []).map(({name}) => name).filter((name) => name !== member);
    throw refused('unknown-upstream', `${member} cannot follow "${upstream}": its store has no other member of that name`, {
      suggestions: [`Known: ${others.join(', ')}.`],
    });
  }
  const way = own.upstreams?.[upstream] ?? wayOf(other.config).address;
  return {...base, upstream, 'upstream.host': way?.host ?? null, 'upstream.port': way === undefined ? null : String(way.port)};
}

/** One argument with its placeholders replaced. Throws `host-value` (77) for a value that is missing, or that a shell at the other end of an ssh could read. */
export function fill(argument: string, values: Values, member: string): string {
  return argument.replaceAll(PLACEHOLDER, (whole, name: Placeholder) => {
    const value = values[name];
    if (value === null || value === undefined)
      throw refused('host-value', `the host of ${member} uses ${whole}, which the fleet file does not give`);
    if (!HARMLESS.test(value))
      throw refused(
        'host-value',
        `the host of ${member} uses ${whole}, whose value ${JSON.stringify(value)} has signs that a shell may read`,
      );
    return value;
  });
}

type Address = {readonly host: string; readonly port: number};
type Way = {readonly address?: Address; readonly upstreams?: Readonly<Record<string, Address>>; readonly replicationPassfile?: string};

/** A member's part belongs to its engine, which has parsed it; those that replicate have these. */
const wayOf = (config: unknown): Way => Object(config) as Way;
