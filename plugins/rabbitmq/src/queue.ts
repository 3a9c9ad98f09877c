import {isRegionctlError, z} from 'regionctl/kit';
import type {Management} from './management.ts';
import {oldestAge} from './oldest-age.ts';

const count = z.number();
const samples = z.array(z.object({sample: z.number(), timestamp: z.number()})).optional();
const rate = z.object({rate: z.number(), samples}).optional();

const totalsShape = z.object({
  items: z.array(
    z.object({name: z.string(), state: z.string().optional(), messages: count.optional(), messages_unacknowledged: count.optional()}),
  ),
});

/** What the broker counts, every few seconds. Nothing is there of a queue that was not counted yet, and no statistics of one that was not used. */
const statsShape = z.object({
  messages: count.optional(),
  messages_details: z.object({samples}).optional(),
  consumers: count.optional(),
  head_message_timestamp: count.nullish(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  effective_policy_definition: z.unknown().optional(),
  message_stats: z
    .object({
      publish_details: rate,
      ack_details: rate,
      deliver_no_ack_details: rate,
      get_no_ack_details: rate,
      redeliver: count.optional(),
    })
    .optional(),
});

export type QueueStats = z.output<typeof statsShape>;

/** Messages of a queue at this moment, as its own process counts them. null = the queue does not tell, because its node is down. */
export type QueueTotals = {readonly name: string; readonly depth: number | null; readonly unacknowledged: number | null};

/** What the broker has counted of a queue: some seconds old. */
export type QueueCounts = {readonly stats: QueueStats; readonly brokerNow: number | null};

/** How far back and how finely counts are asked for, in seconds; RabbitMQ keeps ten minutes of five-second steps. */
const SAMPLES = 'lengths_age=600&lengths_incr=5&msg_rates_age=600&msg_rates_incr=5';
const COLUMNS = 'columns=messages,messages_details,consumers,head_message_timestamp,arguments,effective_policy_definition,message_stats';
/** Of a request line. More names are asked for by the whole list. */
const LONGEST_PATTERN = 2000;
const PAGE = 500;

/** One part of a path, or one value. */
export const part = encodeURIComponent;

/**
 * Depths of the queues of a virtual host whose names match one of the patterns, asked of the queues themselves: the broker's own statistics are up to ten
 * seconds late. `patterns` are regular expressions of whole names.
 */
export async function readTotals(
  management: Management,
  vhost: string,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<readonly QueueTotals[]> {
  const pattern = `^(${[...new Set(patterns)].join('|')})$`;
  const filter = pattern.length > LONGEST_PATTERN ? '' : `&name=${part(pattern)}&use_regex=true`;
  const found: QueueTotals[] = [];
  for (let page = 1; ; page += 1) {
    const path = `queues/${part(vhost)}?page=${page}&page_size=${PAGE}${filter}&disable_stats=true&enable_queue_totals=true`;
    const {value} = await management.get(path, totalsShape, {signal});
    found.push(
      ...value.items.map((item) => ({name: item.name, depth: item.messages ?? null, unacknowledged: item.messages_unacknowledged ?? null})),
    );
    if (value.items.length < PAGE) return found;
  }
}

/** A name as a pattern that matches it alone. */
export const literal = (name: string): string =>
  name.replace(/[^A-Za-z0-9_ ]/gu, (letter) => ((letter.codePointAt(0) ?? 0) < 128 ? `\\${letter}` : letter));

/** The broker's statistics of one queue; null = there is no such queue. */
export async function readStats(management: Management, vhost: string, queue: string, signal: AbortSignal): Promise<QueueCounts | null> {
  try {
    const {value, at} = await management.get(`queues/${part(vhost)}/${part(queue)}?${SAMPLES}&${COLUMNS}`, statsShape, {signal});
    return {stats: value, brokerNow: at};
  } catch (error) {
    if (isRegionctlError(error) && error.code === 'not-found') return null;
    throw error;
  }
}

/** What statistics tell of a queue beside its depth. */
export type QueueFigures = {
  readonly oldestAgeSeconds: number | null;
  readonly ageBasis: 'timestamp' | 'estimate' | null;
  readonly consumers: number | null;
  readonly redelivered: number | null;
  readonly publishedPerSecond: number | null;
  readonly movedPerSecond: number | null;
};

/** `depth` null = not known; then the age is not either. */
export function figuresOf(depth: number | null, {stats, brokerNow}: QueueCounts): QueueFigures {
  const {message_stats: counts, messages, consumers} = stats;
  const movedPerSecond = movedRate(stats);
  const counted = messages !== undefined || counts !== undefined;
  const age =
    depth === null
      ? {seconds: null, basis: null}
      : oldestAge({
          depth,
          countedDepth: messages ?? null,
          headTimestamp: stats.head_message_timestamp ?? null,
          depths: stats.messages_details?.samples ?? [],
          published: counts?.publish_details?.samples ?? [],
          movedPerSecond,
          now: brokerNow ?? Date.now(),
        });
  return {
    oldestAgeSeconds: age.seconds,
    ageBasis: age.basis,
    consumers: consumers ?? null,
    // A queue that was counted and has none of these was never used since.
    redelivered: counted ? (counts?.redeliver ?? 0) : null,
    publishedPerSecond: counted ? (counts?.publish_details?.rate ?? 0) : null,
    movedPerSecond,
  };
}

/** A rate of 0 says that nothing moves only when there was something to move as the broker counted. */
function movedRate({message_stats: counts, messages = 0}: QueueStats): number | null {
  const rates = [counts?.ack_details, counts?.deliver_no_ack_details, counts?.get_no_ack_details];
  const moved = rates.reduce((sum, each) => sum + (each?.rate ?? 0), 0);
  return moved === 0 && messages === 0 ? null : moved;
}
