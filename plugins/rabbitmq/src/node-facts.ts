import {isRegionctlError, z} from 'regionctl/kit';
import type {Management} from './management.ts';

const overviewShape = z.object({node: z.string(), cluster_name: z.string(), rabbitmq_version: z.string()});
const nodesShape = z.array(
  z.object({
    name: z.string(),
    running: z.boolean(),
    // A node that is down is listed by its name alone.
    mem_alarm: z.boolean().optional(),
    disk_free_alarm: z.boolean().optional(),
    partitions: z.array(z.string()).optional(),
  }),
);
const alarmsShape = z.object({alarms: z.array(z.object({node: z.string(), resource: z.string()})).default([])});

/** What a health check answers when it finds something. */
export const FOUND = 503;

/** What one broker says of itself and of its cluster. */
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

/** Three requests at once. Throws as Management does. */
export async function readFacts(management: Management, limits: Limits): Promise<NodeFacts> {
  const [overview, nodes, alarms] = await Promise.all([
    management.get('overview?columns=node,cluster_name,rabbitmq_version', overviewShape, limits),
    management.get('nodes?columns=name,running,mem_alarm,disk_free_alarm,partitions', nodesShape, limits),
    alarmsNow(management, limits),
  ]);
  const named = (is: (node: z.output<typeof nodesShape>[number]) => boolean) => nodes.value.filter(is).map(({name}) => name);
  const raised = (resource: string) => alarms?.filter((alarm) => alarm.resource === resource).map(({node}) => node);
  return {
    node: overview.value.node,
    cluster: overview.value.cluster_name,
    version: overview.value.rabbitmq_version,
    down: named(({running}) => !running),
    memory: raised('memory') ?? named(({mem_alarm}) => mem_alarm === true),
    disk: raised('disk') ?? named(({disk_free_alarm}) => disk_free_alarm === true),
    partitioned: named(({partitions = []}) => partitions.length > 0),
  };
}

/** Alarms at this moment: the list of nodes is as late as all statistics. null = the broker is too old to be asked. */
async function alarmsNow(management: Management, limits: Limits): Promise<z.output<typeof alarmsShape>['alarms'] | null> {
  try {
    return (await management.get('health/checks/alarms', alarmsShape, {...limits, accept: [FOUND]})).value.alarms;
  } catch (error) {
    if (isRegionctlError(error) && error.code === 'not-found') return null;
    throw error;
  }
}

/** Why nobody can publish; null = nothing stops publishers. */
export function alarmSays({memory, disk}: NodeFacts): string | null {
  const says = [
    ...(memory.length === 0 ? [] : [`the memory alarm of ${memory.join(' and ')}`]),
    ...(disk.length === 0 ? [] : [`the disk alarm of ${disk.join(' and ')}`]),
  ];
  return says.length === 0 ? null : says.join(' and ');
}
