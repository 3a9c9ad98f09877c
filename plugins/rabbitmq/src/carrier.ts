import {type MessageReading, z} from 'regionctl/kit';
import type {LinkSpec} from './link-spec.ts';
import {type Management, plain} from './management.ts';

const text = z.string().optional();

const shovelsShape = z.array(
  z.object({name: z.string(), vhost: text, state: text, reason: z.unknown().optional(), timestamp: text, blocked_status: text}),
);
const federationShape = z.array(
  z.object({
    vhost: text,
    upstream: text,
    exchange: text,
    queue: text,
    upstream_exchange: text,
    upstream_queue: text,
    status: text,
    error: z.unknown().optional(),
    timestamp: text,
  }),
);

export type Shovels = z.output<typeof shovelsShape>;
export type Federations = z.output<typeof federationShape>;

/** How what carries a link stands. `trouble` is in the broker's words; null = there is none. `upstream` is the exchange or queue at the other end. */
export type CarrierState = {
  readonly flow: MessageReading['flow'];
  readonly word: string | null;
  readonly trouble: string | null;
  readonly upstream: string | null;
};

/** Every shovel of a broker. Asks for the plugin rabbitmq_shovel_management. */
export const readShovels = async (management: Management, signal: AbortSignal): Promise<Shovels> =>
  (await management.get('shovels', shovelsShape, {signal})).value;

/** Every federation link of a broker. Asks for the plugin rabbitmq_federation_management. */
export const readFederations = async (management: Management, signal: AbortSignal): Promise<Federations> =>
  (await management.get('federation-links', federationShape, {signal})).value;

/** How a person knows what carries a link. */
export function carrierName({shovel, federation, exchange, queue, on}: LinkSpec): string {
  if (shovel !== null) return `the shovel ${shovel} on ${on}`;
  return `the federation of ${exchange ?? queue} from ${federation} on ${on}`;
}

/** The shovel of a link among those of its broker. */
export function shovelState(link: LinkSpec, shovels: Shovels): CarrierState {
  const own = shovels.filter(({name, vhost = '/'}) => name === link.shovel && vhost === link.vhost);
  const seen = own.find(({state}) => state === 'running') ?? own[0];
  if (seen === undefined) return absent(`${link.on} has no shovel of this name in the virtual host ${link.vhost}`);
  const blocked = seen.blocked_status === 'blocked' ? 'its destination takes no messages now' : null;
  return stateOf({word: seen.state ?? 'unknown', why: seen.reason, since: seen.timestamp, note: blocked, upstream: link.queue});
}

/** The federation link among those of its broker. */
export function federationState(link: LinkSpec, all: Federations): CarrierState {
  const own = all.filter(
    ({upstream, vhost = '/', exchange, queue}) =>
      upstream === link.federation && vhost === link.vhost && (link.exchange === null ? queue === link.queue : exchange === link.exchange),
  );
  const seen = own.find(({status}) => status === 'running') ?? own[0];
  if (seen === undefined)
    return absent(`${link.on} federates nothing of this name from ${link.federation} in the virtual host ${link.vhost}`);
  const upstream = seen.upstream_exchange ?? seen.upstream_queue ?? null;
  return stateOf({word: seen.status ?? 'unknown', why: seen.error, since: seen.timestamp, note: null, upstream});
}

const absent = (trouble: string): CarrierState => ({flow: 'down', word: null, trouble, upstream: null});

type Seen = {
  readonly word: string;
  readonly why: unknown;
  readonly since: string | undefined;
  readonly note: string | null;
  readonly upstream: string | null;
};

function stateOf({word, why, since, note, upstream}: Seen): CarrierState {
  if (word === 'running') return {flow: 'running', word, trouble: note, upstream};
  const when = since === undefined ? '' : ` since ${since} by its own clock`;
  const reason = why === undefined || why === null ? '' : `: ${plain(typeof why === 'string' ? why : JSON.stringify(why))}`;
  return {flow: word === 'starting' ? 'starting' : 'down', word, trouble: `it says ${word}${when}${reason}`, upstream};
}
