import {resolve} from 'node:path';
import {
  type EndpointPlace,
  isRegionctlError,
  messageOf,
  type Probe,
  type ProbeResult,
  type ProviderContext,
  timeoutAwake,
  z,
} from 'regionctl/kit';
import {createManagement, type Management, OWN_TROUBLE} from './management.ts';
import {alarmSays, FOUND, type NodeFacts, readFacts} from './node-facts.ts';
import type {NodeConfig} from './providers.ts';

const checkShape = z.object({status: z.string(), reason: z.string().optional()});

/**
 * A broker and its cluster, over connections of their own each time. Down: a memory or disk alarm (publishers are stopped), or a partition. A node of
 * the cluster that is down, and a node on which the majority of a queue depends, are warnings.
 */
export function nodeProbe(config: NodeConfig, {timeoutMs}: EndpointPlace, {secrets, baseDir, clock}: ProviderContext): Probe {
  const caFile = config.ca === undefined ? null : resolve(baseDir, config.ca);
  const check = async (signal: AbortSignal): Promise<ProbeResult> => {
    const management = createManagement({...config, caFile}, secrets);
    const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
    const began = clock.now();
    try {
      const limits = {signal: bounded, timeoutMs};
      const [facts, critical] = await Promise.all([readFacts(management, limits), quorumCritical(management, limits)]);
      return judge(facts, critical, clock.now() - began);
    } catch (error) {
      return failed(error);
    } finally {
      management.close();
    }
  };
  return {check};
}

/** What depends on this node, in the broker's words; null = nothing does, or the broker is too old to tell. */
async function quorumCritical(management: Management, limits: {signal: AbortSignal; timeoutMs: number}): Promise<string | null> {
  try {
    const {status, value} = await management.get('health/checks/node-is-quorum-critical', checkShape, {...limits, accept: [FOUND]});
    return status === FOUND ? (value.reason ?? 'some queues would lose their majority without it') : null;
  } catch (error) {
    if (isRegionctlError(error) && error.code === 'not-found') return null;
    throw error;
  }
}

function judge(seen: NodeFacts, critical: string | null, latencyMs: number): ProbeResult {
  const {node, cluster, version, down, memory, disk, partitioned} = seen;
  const facts = {node, cluster, version, down, memoryAlarm: memory, diskAlarm: disk, partitioned};
  const alarm = alarmSays(seen);
  if (alarm !== null) return {ok: false, latencyMs, code: 'alarm', detail: `${node} stops publishers: ${alarm}`, facts};
  if (partitioned.length > 0)
    return {
      ok: false,
      latencyMs,
      code: 'partition',
      detail: `the cluster ${cluster} is split: ${partitioned.join(' and ')} see others cut off`,
      facts,
    };
  const warning = warningOf(seen, critical);
  const detail = `${node} (RabbitMQ ${version}) answered in ${latencyMs.toFixed(1)} ms`;
  return {ok: true, latencyMs, code: 'ok', detail, facts, ...(warning === null ? {} : {warning})};
}

function warningOf({node, cluster, down}: NodeFacts, critical: string | null): NonNullable<ProbeResult['warning']> | null {
  if (down.length > 0)
    return {code: 'node-down', says: `${down.join(' and ')} of the cluster ${cluster} ${down.length === 1 ? 'is' : 'are'} down`};
  return critical === null ? null : {code: 'quorum-critical', says: `${node} must not go down: ${critical}`};
}

/** Our own cancellation and a missing secret say nothing about the broker. */
function failed(error: unknown): ProbeResult {
  const code = isRegionctlError(error) ? error.code : 'error';
  return {ok: OWN_TROUBLE.has(code) ? null : false, latencyMs: null, code, detail: messageOf(error)};
}
