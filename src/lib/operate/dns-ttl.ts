import {Resolver} from 'node:dns/promises';
import {isIP} from 'node:net';
import {timeoutAwake} from '../awake.ts';

/** How long a name may take to be looked up. */
const LOOK_UP_MS = 1000;

/** The host of an address that has to be looked up; null for an IP address, and for this machine. */
export function nameIn(url: string): string | null {
  const host = new URL(url).hostname.replace(/\.$/, '');
  const isAddress = isIP(host) !== 0 || host.startsWith('[');
  return isAddress || host === 'localhost' || host.endsWith('.localhost') ? null : host;
}

/**
 * For how many seconds a client may keep what a name resolves to, as the resolver tells it now (of a resolver that caches, what is left of it).
 * `servers` = whom to ask, as `host:port`; default: those of this machine. Throws when no address is told within a second.
 */
export async function ttlSeconds(name: string, signal: AbortSignal, servers?: readonly string[]): Promise<number> {
  const resolver = new Resolver({timeout: LOOK_UP_MS, tries: 1});
  if (servers !== undefined) resolver.setServers(servers);
  const limited = AbortSignal.any([signal, timeoutAwake(LOOK_UP_MS)]);
  const cancel = (): void => resolver.cancel();
  limited.addEventListener('abort', cancel, {once: true});
  try {
    limited.throwIfAborted();
    const asked = await Promise.allSettled([resolver.resolve4(name, {ttl: true}), resolver.resolve6(name, {ttl: true})]);
    signal.throwIfAborted();
    const records = asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (records.length === 0) throw new Error(`its DNS TTL could not be looked up: ${whyNot(asked, limited)}`);
    return Math.max(...records.map(({ttl}) => ttl));
  } finally {
    limited.removeEventListener('abort', cancel);
  }
}

function whyNot(asked: readonly PromiseSettledResult<unknown>[], {aborted}: AbortSignal): string {
  if (aborted) return `no answer within ${LOOK_UP_MS} ms`;
  const codes = asked.flatMap((answer) => (answer.status === 'rejected' ? [codeOf(answer.reason)] : ['no address']));
  return [...new Set(codes)].join(', ');
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : 'unknown error';
}
