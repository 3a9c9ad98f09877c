import {count, type Fields, plain} from './info.ts';

/** Where somebody is reached: host as it was said, without regard to case. */
export type Address = {readonly host: string; readonly port: number};

/** What INFO says of replication. Offsets and sizes in bytes; null = it does not say. */
export type Replication = {
  readonly role: 'primary' | 'standby';
  /** The history that the data belongs to, and where the own one left the former one: a standby that was promoted keeps its primary's. */
  readonly history: string;
  readonly former: {readonly history: string; readonly until: number} | null;
  /** How far the data is. Of a standby: what it has executed. */
  readonly offset: number | null;
  /** Of a standby: what it has received, of which it may not have executed all. */
  readonly received: number | null;
  /** Where the log ends that it passes on to standbys of its own. */
  readonly end: number | null;
  readonly readOnly: boolean;
  readonly upstream: UpstreamLink | null;
  readonly listed: readonly Listed[];
  readonly backlog: Backlog;
  /** Standbys that acknowledged lately enough for min-replicas-to-write; null = that is not set. */
  readonly goodReplicas: number | null;
};

/** A standby's link to where its data comes from. Seconds are whole. */
export type UpstreamLink = {
  readonly address: Address;
  readonly isUp: boolean;
  readonly heardSeconds: number | null;
  readonly downSeconds: number | null;
  /** A full copy is on its way. Without a file on the primary's disk nobody knows its size. */
  readonly copying: {readonly leftBytes: number | null; readonly readBytes: number | null; readonly percent: number | null} | null;
};

/** A standby as its sender lists it. `offset` is what it acknowledged last, `silentSeconds` ago: it does so every second. */
export type Listed = {
  readonly address: Address;
  readonly state: string;
  readonly offset: number | null;
  readonly silentSeconds: number | null;
};

/** What a sender keeps of its log for standbys that come back. */
export type Backlog = {readonly isActive: boolean; readonly size: number | null; readonly first: number | null};

const NONE = /^0*$/;

/** Reads it out of INFO; null when that names no role. */
export function replicationOf(fields: Fields): Replication | null {
  const said = fields.get('role');
  const role = said === 'master' ? 'primary' : said === 'slave' || said === 'replica' ? 'standby' : null;
  const history = fields.get('master_replid') ?? '';
  if (role === null || NONE.test(history)) return null;
  const own = role === 'standby' ? 'slave_repl_offset' : 'master_repl_offset';
  return {
    role,
    history: plain(history),
    former: formerOf(fields),
    offset: count(fields.get(own)),
    received: role === 'standby' ? count(fields.get('slave_read_repl_offset') ?? fields.get(own)) : null,
    end: count(fields.get('master_repl_offset')),
    readOnly: role === 'standby' && fields.get('slave_read_only') !== '0',
    upstream: role === 'standby' ? upstreamOf(fields) : null,
    listed: [...fields].flatMap(([key, value]) => (/^slave\d+$/.test(key) ? listedOf(value) : [])),
    backlog: backlogOf(fields),
    goodReplicas: count(fields.get('min_slaves_good_slaves')),
  };
}

function formerOf(fields: Fields): Replication['former'] {
  const history = fields.get('master_replid2') ?? '';
  const until = count(fields.get('second_repl_offset'));
  return NONE.test(history) || until === null ? null : {history: plain(history), until};
}

function upstreamOf(fields: Fields): UpstreamLink | null {
  const address = addressOf(fields.get('master_host'), fields.get('master_port'));
  if (address === null) return null;
  const percent = Number(fields.get('master_sync_perc') ?? '');
  const total = count(fields.get('master_sync_total_bytes')) ?? 0;
  return {
    address,
    isUp: fields.get('master_link_status') === 'up',
    heardSeconds: count(fields.get('master_last_io_seconds_ago')),
    downSeconds: count(fields.get('master_link_down_since_seconds')),
    copying:
      fields.get('master_sync_in_progress') === '1'
        ? {
            leftBytes: total === 0 ? null : count(fields.get('master_sync_left_bytes')),
            readBytes: count(fields.get('master_sync_read_bytes')),
            percent: total > 0 && percent >= 0 && percent <= 100 ? percent : null,
          }
        : null,
  };
}

/** `ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0` */
function listedOf(value: string): readonly Listed[] {
  const parts = new Map(value.split(',').map((part) => [part.split('=')[0] ?? '', part.slice(part.indexOf('=') + 1)]));
  const address = addressOf(parts.get('ip'), parts.get('port'));
  if (address === null) return [];
  return [{address, state: plain(parts.get('state') ?? ''), offset: count(parts.get('offset')), silentSeconds: count(parts.get('lag'))}];
}

function addressOf(host: string | undefined, port: string | undefined): Address | null {
  const number = count(port);
  return host === undefined || host === '' || number === null ? null : {host: plain(host), port: number};
}

function backlogOf(fields: Fields): Backlog {
  return {
    isActive: fields.get('repl_backlog_active') === '1',
    size: count(fields.get('repl_backlog_size')),
    first: count(fields.get('repl_backlog_first_byte_offset')),
  };
}

/** Which of the settings that CONFIG GET answered are wanted here. null = it did not tell, or may not. Periods in seconds. */
export type Settings = {readonly pingSeconds: number | null; readonly minReplicas: number | null};

/** Reads them out of names and values in turn. */
export function settingsOf(texts: readonly string[]): Settings {
  const value = (...names: readonly string[]): number | null => {
    const at = texts.findIndex((text, index) => index % 2 === 0 && names.includes(text));
    return at === -1 ? null : count(texts[at + 1]);
  };
  return {
    pingSeconds: value('repl-ping-replica-period', 'repl-ping-slave-period'),
    minReplicas: value('min-replicas-to-write', 'min-slaves-to-write'),
  };
}
