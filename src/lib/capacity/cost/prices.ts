import {z} from 'zod';

/** One price, where it is from, and the day that it was read (epoch ms, midnight UTC). */
export type Price = {readonly amount: number; readonly source: string; readonly asOf: number};

/** What an instance costs per hour; null = it cannot be had like that. */
export type InstancePrices = {readonly onDemand: Price; readonly reserved: Price | null; readonly spot: Price | null};

/** Prices of one currency. `instances` by region, `*` = every other one. `transfer` per GB from one region to another, `*` = any. */
export type Prices = {
  readonly currency: string;
  readonly instances: Readonly<Record<string, InstancePrices>>;
  readonly transfer: readonly {readonly from: string; readonly to: string; readonly perGb: Price}[];
};

const DAY_MS = 86_400_000;
/** Clouds change their prices a few times a year: older ones are named. */
export const OLD_DAYS = 90;

const amount = z.number().min(0).max(1e9);
const origin = {
  source: z.string().min(1).describe('Where the price is from, such as a URL.'),
  asOf: z
    .string()
    .refine(
      (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true,
      'expected a day such as 2026-11-28',
    )
    .describe('The day that it was read, such as 2026-11-28.'),
};
const perHour = z.strictObject({perHour: amount.describe('Price of one instance for an hour.'), ...origin});

/** A price file, as it is written. */
export const pricesSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of the format: 1.'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'expected a currency code such as USD or EUR')
      .describe('Currency of every price, such as USD.'),
    instances: z
      .record(
        z.string(),
        z.strictObject({
          onDemand: perHour,
          reserved: perHour.nullable().default(null).describe('Paid for every hour, used or not.'),
          spot: perHour.nullable().default(null).describe('Cheap, and taken away at short notice.'),
        }),
      )
      .describe('Prices of instances by region; * = every other region.'),
    transfer: z
      .array(z.strictObject({from: z.string().min(1), to: z.string().min(1), perGb: amount.describe('Price of a GB.'), ...origin}))
      .default([])
      .describe('Prices of traffic between regions; the first that fits counts, and * stands for any region.'),
  })
  .describe('A price file of regionctl.');

/** Prices out of a file that its schema has parsed. */
export function pricesOf({currency, instances, transfer}: z.output<typeof pricesSchema>): Prices {
  const hourly = (price: z.output<typeof perHour>): Price => ({amount: price.perHour, ...originOf(price)});
  return {
    currency,
    instances: Object.fromEntries(
      Object.entries(instances).map(([region, {onDemand, reserved, spot}]) => [
        region,
        {onDemand: hourly(onDemand), reserved: reserved === null ? null : hourly(reserved), spot: spot === null ? null : hourly(spot)},
      ]),
    ),
    transfer: transfer.map(({from, to, perGb, ...price}) => ({from, to, perGb: {amount: perGb, ...originOf(price)}})),
  };
}

const originOf = ({source, asOf}: {readonly source: string; readonly asOf: string}) => ({source, asOf: Date.parse(`${asOf}T00:00:00Z`)});

/** What instances cost in a region; null = the file does not say. */
export function instancePrices({instances}: Prices, region: string): InstancePrices | null {
  return Object.hasOwn(instances, region) ? (instances[region] ?? null) : (instances['*'] ?? null);
}

/** What a GB costs from one region to another: the first that fits; nothing within a region; null = the file does not say. */
export function transferPrice({transfer}: Prices, from: string, to: string): Price | null {
  const fits = (name: string, region: string): boolean => name === '*' || name === region;
  return transfer.find((each) => fits(each.from, from) && fits(each.to, to))?.perGb ?? null;
}

/** Prices that are old at `now` (epoch ms), or from a day to come, one sentence each, the oldest first; each source once. */
export function priceWarnings({instances, transfer}: Prices, now: number): readonly string[] {
  const all = [
    ...Object.entries(instances).flatMap(([region, {onDemand, reserved, spot}]) =>
      Object.entries({onDemand, reserved, spot}).flatMap(([kind, price]) =>
        price === null ? [] : [{what: `${kind} in ${region}`, price}],
      ),
    ),
    ...transfer.map(({from, to, perGb}) => ({what: `transfer from ${from} to ${to}`, price: perGb})),
  ];
  const bySource = Map.groupBy(all, ({price}) => JSON.stringify([price.source, price.asOf]));
  return [...bySource.values()]
    .toSorted((a, b) => (a[0]?.price.asOf ?? 0) - (b[0]?.price.asOf ?? 0))
    .flatMap((prices) => {
      const [first, ...others] = prices;
      if (first === undefined) return [];
      const days = Math.floor((now - first.price.asOf) / DAY_MS);
      if (days >= 0 && days <= OLD_DAYS) return [];
      const what = others.length === 0 ? `the price of ${first.what} is` : `the prices of ${first.what} and ${others.length} more are`;
      const day = new Date(first.price.asOf).toISOString().slice(0, 10);
      return [days < 0 ? `${what} of ${day}, a day that is still to come` : `${what} ${days} days old (${day}, ${first.price.source})`];
    });
}
