import {z} from 'regionctl/kit';
import type {Management} from './management.ts';
import {part, type QueueStats} from './queue.ts';

const bindingsShape = z.array(z.object({destination: z.string(), destination_type: z.string(), routing_key: z.string()}));

/**
 * The queues to which a queue's dead letters go, by its arguments or its policy. Empty = it has no dead letter exchange, or that leads nowhere. Of a
 * binding whose key is a pattern, nobody but the exchange knows what it takes: it counts.
 */
export async function deadLetterQueues(
  management: Management,
  {vhost, queue, stats}: {readonly vhost: string; readonly queue: string; readonly stats: QueueStats},
  signal: AbortSignal,
): Promise<readonly string[]> {
  const exchange = settingOf(stats, 'dead-letter-exchange');
  const key = settingOf(stats, 'dead-letter-routing-key');
  if (exchange === null) return [];
  // The default exchange takes a key for the name of a queue.
  if (exchange === '') return [key ?? queue];
  const {value} = await management.get(`exchanges/${part(vhost)}/${part(exchange)}/bindings/source`, bindingsShape, {signal});
  const queues = value.filter((binding) => binding.destination_type === 'queue' && mayTake(binding.routing_key, key));
  return [...new Set(queues.map(({destination}) => destination))];
}

function mayTake(bound: string, key: string | null): boolean {
  return key === null || bound === '' || bound === key || /[*#]/.test(bound);
}

/** An argument of the queue comes before its policy. */
function settingOf({arguments: own = {}, effective_policy_definition: policy}: QueueStats, name: string): string | null {
  const values = [own[`x-${name}`], typeof policy === 'object' && policy !== null ? (policy as Record<string, unknown>)[name] : undefined];
  const found = values.find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : null;
}
