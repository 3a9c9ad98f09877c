import {z} from 'regionctl/kit';
import type {Management} from './management.ts';

const overviewShape = z.object({node: z.string(), cluster_name: z.string(), rabbitmq_version: z.string()});
const nodeShape = z.object({
  name: z.string(),
  running: z.boolean(),
  // A node that is down is listed by its name alone.
  mem_alarm: z.boolean().optional(),
  disk_free_alarm: z.boolean().optional(),
  partitions: z.array(z.string()).optional(),
});
const nodesShape = z.array(nodeShape);

/** What one broker says of itself and of its cluster. `at` is its own time in epoch ms. */
export type NodeFacts = {
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
  readonly down: readonly string[];
  /** Nodes that have used up their memory, or their disk: publishers of the whole cluster are stopped. */
  readonly memory: readonly string[];
  readonly disk: readonly string[];
  /** Nodes that see others as cut off. */
  readonly partitioned: readonly string[];
};

type Limits = {readonly signal: AbortSignal; readonly timeoutMs?: number};

/** Two requests at once. Throws as Management does. */
export async function readFacts(management: Management, limits: Limits): Promise<NodeFacts> {
  const [overview, nodes] = await Promise.all([
    management.get('overview?columns=node,cluster_name,rabbitmq_version', overviewShape, limits),
    management.get('nodes?columns=name,running,mem_alarm,disk_free_alarm,partitions', nodesShape, limits),
  ]);
  const named = (is: (node: z.output<typeof nodeShape>) => boolean) => nodes.value.filter(is).map(({name}) => name);
  return {
    node: overview.value.node,
    cluster: overview.value.cluster_name,
    version: overview.value.rabbitmq_version,
    down: named(({running}) => !running),
    memory: named(({mem_alarm}) => mem_alarm === true),
    disk: named(({disk_free_alarm}) => disk_free_alarm === true),
    partitioned: named(({partitions = []}) => partitions.length > 0),
  };
}

/** Why nobody can publish; null = nothing stops publishers. */
export function alarmSays({memory, disk}: NodeFacts): string | null {
  const says = [
    ...(memory.length === 0 ? [] : [`the memory alarm of ${memory.join(' and ')}`]),
    ...(disk.length === 0 ? [] : [`the disk alarm of ${disk.join(' and ')}`]),
  ];
  return says.length === 0 ? null : says.join(' and ');
}
