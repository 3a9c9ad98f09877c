/** The text of INFO with these fields, as Redis 7 writes it. */
export function infoText(fields: Readonly<Record<string, string | number>>): string {
  return `# Some section\r\n${Object.entries(fields)
    .map(([key, value]) => `${key}:${value}\r\n`)
    .join('')}`;
}

/** What a server says that is well: `more` goes over it. */
export const PRIMARY = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  used_memory: 1024 * 1024,
  maxmemory: 0,
  loading: 0,
  rdb_last_bgsave_status: 'ok',
  aof_last_write_status: 'ok',
  aof_last_bgrewrite_status: 'ok',
  role: 'master',
  connected_slaves: 2,
  slave0: 'ip=10.0.0.2,port=6379,state=online,offset=980,lag=0',
  slave1: 'ip=10.0.0.3,port=6379,state=online,offset=1000,lag=3',
  master_repl_offset: 1000,
} as const;

const {slave0: _, slave1: __, ...rest} = PRIMARY;
export const STANDBY = {
  ...rest,
  role: 'slave',
  connected_slaves: 0,
  master_host: '10.0.0.1',
  master_port: 6379,
  master_link_status: 'up',
  master_last_io_seconds_ago: 2,
  master_sync_in_progress: 0,
  slave_repl_offset: 990,
} as const;

/** The same with its link down for so many seconds; -1 = it never was up. */
export const cutOff = (seconds: number) => ({
  ...STANDBY,
  master_link_status: 'down',
  master_last_io_seconds_ago: -1,
  master_link_down_since_seconds: seconds,
});
