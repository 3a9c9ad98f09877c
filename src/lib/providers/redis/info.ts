/** What INFO says. null = it does not say. */
export type Info = {
  /** As the server calls it when it is neither. */
  readonly role: 'primary' | 'standby' | null;
  readonly saidRole: string | null;
  readonly isSentinel: boolean;
  readonly version: string | null;
  /** The data is being read in, and nothing else is answered. */
  readonly loading: {readonly percent: string | null; readonly leftMs: number | null} | null;
  readonly offset: number | null;
  /** Of a standby: where its data comes from. */
  readonly upstream: Upstream | null;
  readonly standbys: readonly Standby[];
  readonly usedBytes: number | null;
  /** 0 = no limit. */
  readonly maxBytes: number | null;
  /** Fields about its files that say `err`. */
  readonly failed: readonly string[];
};

/** A standby's link. `ageMs`: how long ago it was last heard from, or how long it has been down; null = never had, or not said. Whole seconds. */
export type Upstream = {
  readonly address: string;
  readonly link: 'up' | 'down' | null;
  readonly isCopying: boolean;
  readonly ageMs: number | null;
};

/** A standby as its primary sees it. `heardMs`: since its last acknowledgement, in whole seconds. */
export type Standby = {readonly isOnline: boolean; readonly offset: number | null; readonly heardMs: number | null};

const LONGEST_SHOWN = 100;

/** What INFO says, field by field. */
export type Fields = ReadonlyMap<string, string>;

const ROLES: Readonly<Record<string, 'primary' | 'standby'>> = {master: 'primary', slave: 'standby', replica: 'standby'};
const FILES = ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status'];

/** Reads the text of INFO, whatever it holds. */
export function infoOf(text: string): Info {
  const fields = fieldsOf(text);
  const saidRole = fields.get('role') ?? null;
  const role = saidRole !== null && Object.hasOwn(ROLES, saidRole) ? (ROLES[saidRole] ?? null) : null;
  return {
    role,
    saidRole: saidRole === null ? null : plain(saidRole),
    isSentinel: fields.get('redis_mode') === 'sentinel',
    version: fields.has('redis_version') ? plain(fields.get('redis_version') ?? '') : null,
    loading: fields.get('loading') === '1' ? loadingOf(fields) : null,
    offset: count(fields.get(role === 'standby' ? 'slave_repl_offset' : 'master_repl_offset')),
    upstream: role === 'standby' ? upstreamOf(fields) : null,
    standbys: [...fields].filter(([key]) => /^slave\d+$/.test(key)).map(([, value]) => standbyOf(value)),
    usedBytes: count(fields.get('used_memory')),
    maxBytes: count(fields.get('maxmemory')),
    failed: FILES.filter((field) => fields.get(field) === 'err'),
  };
}

/** Reads the lines of INFO. */
export function fieldsOf(text: string): Fields {
  const pairs = text.split(/\r?\n/).map((line) => /^([a-z_0-9]+):(.*)$/i.exec(line));
  return new Map(pairs.flatMap((pair) => (pair?.[1] === undefined ? [] : [[pair[1], pair[2] ?? ''] as const])));
}

function loadingOf(fields: Fields): NonNullable<Info['loading']> {
  const percent = fields.get('loading_loaded_perc') ?? '';
  return {percent: /^\d+(\.\d+)?$/.test(percent) ? percent : null, leftMs: ms(fields.get('loading_eta_seconds'))};
}

function upstreamOf(fields: Fields): Upstream {
  const said = fields.get('master_link_status');
  const link = said === 'up' || said === 'down' ? said : null;
  return {
    address: plain(`${fields.get('master_host') ?? '?'}:${fields.get('master_port') ?? '?'}`),
    link,
    isCopying: fields.get('master_sync_in_progress') === '1',
    ageMs: ms(fields.get(link === 'down' ? 'master_link_down_since_seconds' : 'master_last_io_seconds_ago')),
  };
}

/** `ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0` */
function standbyOf(value: string): Standby {
  const parts = new Map(value.split(',').map((part) => [part.split('=')[0] ?? '', part.slice(part.indexOf('=') + 1)]));
  return {isOnline: parts.get('state') === 'online', offset: count(parts.get('offset')), heardMs: ms(parts.get('lag'))};
}

/** What is shown as it is said: on one line, and with nothing that a terminal would obey. */
export function plain(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').slice(0, LONGEST_SHOWN);
}

/** A whole number from 0 on; null = it is none, or too large to be exact. */
export function count(text: string | undefined): number | null {
  const number = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : null;
}

/** Whole seconds; what was never is -1. */
function ms(text: string | undefined): number | null {
  const seconds = count(text);
  return seconds === null ? null : seconds * 1000;
}
