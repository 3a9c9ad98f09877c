import type {Weights} from '../survive/flows.ts';
import {type Prices, transferPrice} from './prices.ts';

/** Data that crosses regions because of where traffic is served. The parts of a route's traffic are shared by its weights. */
export type TransferSpec = {
  readonly name: string;
  /** The route whose weights say where it happens. */
  readonly route: string;
  /** Of all regions together. */
  readonly gbPerMonth: number;
  /** Each region's part goes to every one of these but itself (replication), or comes from that region (reads from home). */
  readonly way: {readonly to: readonly string[]} | {readonly from: string};
};

/** What one transfer costs in a month between two regions. `cost` null = the price file has no price for it. */
export type TransferRow = {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly gb: number;
  readonly cost: number | null;
};

/** The transfers of a split of traffic, and their sum; null = a price is missing. `weights` by route. */
export type TransferCost = {readonly rows: readonly TransferRow[]; readonly perMonth: number | null};

/** What a split of traffic costs in transfer. A route whose weights are all 0, or that is not there, moves nothing. */
export function transferCost(specs: readonly TransferSpec[], weights: Readonly<Record<string, Weights>>, prices: Prices): TransferCost {
  const rows = specs.flatMap((spec) => rowsOf(spec, weights[spec.route] ?? {}, prices));
  const missing = rows.some(({cost}) => cost === null);
  return {rows, perMonth: missing ? null : rows.reduce((sum, {cost}) => sum + (cost ?? 0), 0)};
}

function rowsOf({name, gbPerMonth, way}: TransferSpec, weights: Weights, prices: Prices): readonly TransferRow[] {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  return Object.entries(weights).flatMap(([region, weight]) => {
    const gb = sum === 0 ? 0 : (gbPerMonth * weight) / sum;
    const ways = 'to' in way ? way.to.map((to) => ({from: region, to})) : [{from: way.from, to: region}];
    return ways
      .filter(({from, to}) => from !== to && gb > 0)
      .map(({from, to}) => {
        const price = transferPrice(prices, from, to);
        return {name, from, to, gb, cost: price === null ? null : gb * price.amount};
      });
  });
}
