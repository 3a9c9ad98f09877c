import type {z} from 'regionctl/kit';
import type {linkSchema} from './link-schema.ts';

/** A link of the fleet file with its defaults filled in. Exactly one of `shovel` and `federation`, and of a federation's `queue` and `exchange`, is not null. */
export type LinkSpec = {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** The member whose broker runs it. */
  readonly on: string;
  readonly shovel: string | null;
  readonly federation: string | null;
  readonly queue: string | null;
  readonly exchange: string | null;
  readonly vhost: string;
  readonly fromVhost: string;
  readonly deadLetters: string | null;
};

/** The links of a store, in the order of the fleet file. */
export function linkSpecs(links: Readonly<Record<string, z.output<typeof linkSchema>>>): readonly LinkSpec[] {
  return Object.entries(links).map(([name, {from, to, on, vhost, ...rest}]) => ({
    name,
    from,
    to,
    on: on ?? to,
    shovel: rest.shovel ?? null,
    federation: rest.federation ?? null,
    queue: rest.queue ?? null,
    exchange: rest.exchange ?? null,
    vhost,
    fromVhost: rest.fromVhost ?? vhost,
    deadLetters: rest.deadLetters ?? null,
  }));
}
