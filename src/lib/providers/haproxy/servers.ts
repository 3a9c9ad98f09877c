import {unavailable} from '../../errors.ts';
import {adviceOn, firstLine} from './runtime-api.ts';

/** One server as `show servers state` tells it. */
export type ServerState = {
  /** Absolute weight, 0 to 256. */
  readonly weight: number;
  /** The weight that it is configured with. */
  readonly configured: number;
  /** In maintenance or drained: it takes no new connections whatever its weight is. */
  readonly out: boolean;
  /** In maintenance by order, not by a health check, a lost name or a server that it tracks. */
  readonly maintenance: boolean;
};

/** Servers by `backend/server`. */
export type ServerStates = ReadonlyMap<string, ServerState>;

/** Bits of srv_admin_state: maintenance by order, inherited, of a lost name; drained by order, inherited. 4 and 64 are remarks only. */
const MAINTENANCE_BY_ORDER = 0x01;
const OUT = 0x01 | 0x02 | 0x20 | 0x08 | 0x10;

/** Reads the reply to `show servers state`. `who` names the HAProxy for the error `bad-answer` (exit 69). */
export function parseServersState(reply: string, who: string): ServerStates {
  const [version, head = '', ...lines] = reply.trimEnd().split('\n');
  const columns = head.replace(/^# /, '').split(' ');
  const place = ['be_name', 'srv_name', 'srv_admin_state', 'srv_uweight', 'srv_iweight'].map((name) => columns.indexOf(name));
  if (version !== '1' || place.includes(-1)) throw badAnswer(who, 'show servers state', reply);
  return new Map(
    lines.map((line) => {
      const cells = line.split(' ');
      const [backend, server, admin, weight, configured] = place.map((index) => cells[index] ?? '');
      const [bits, now, first] = [admin, weight, configured].map((text) => (/^\d+$/.test(text ?? '') ? Number(text) : Number.NaN));
      if (bits === undefined || now === undefined || first === undefined || Number.isNaN(bits + now + first))
        throw badAnswer(who, 'show servers state', line);
      const state = {weight: now, configured: first, out: (bits & OUT) !== 0, maintenance: (bits & MAINTENANCE_BY_ORDER) !== 0};
      return [`${backend}/${server}`, state] as const;
    }),
  );
}

/** Reads the open sessions per `backend/server` out of the reply to `show stat`, whose first columns hold no quotes. */
export function parseSessions(reply: string, who: string): ReadonlyMap<string, number> {
  const [head = '', ...lines] = reply.trimEnd().split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const place = ['pxname', 'svname', 'scur'].map((name) => columns.indexOf(name));
  if (place.includes(-1)) throw badAnswer(who, 'show stat', reply);
  return new Map(
    lines.map((line) => {
      const cells = line.split(',');
      const [backend, server, sessions = ''] = place.map((index) => cells[index]);
      if (!/^\d+$/.test(sessions)) throw badAnswer(who, 'show stat', line);
      return [`${backend}/${server}`, Number(sessions)] as const;
    }),
  );
}

/** The entry of each server that the fleet file names. Throws `unknown-server` (exit 69) when HAProxy does not have one. */
export function pick<T>(all: ReadonlyMap<string, T>, servers: readonly string[], who: string): ReadonlyMap<string, T> {
  return new Map(
    servers.map((server) => {
      const found = all.get(server);
      if (found !== undefined) return [server, found] as const;
      throw unavailable('unknown-server', `${who} has no server ${server}`, {
        suggestions: [`it has ${[...all.keys()].slice(0, 20).join(', ') || 'none'}: name them as backend/server in the fleet file`],
      });
    }),
  );
}

function badAnswer(who: string, command: string, text: string): Error {
  const line = firstLine(text);
  return unavailable('bad-answer', `${who} answered "${command}" with something else: ${line}`, {suggestions: adviceOn(line)});
}
