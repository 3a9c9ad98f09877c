import {type ChildProcess, spawn} from 'node:child_process';
import {chmodSync, writeFileSync} from 'node:fs';
import {Socket} from 'node:net';
import {join} from 'node:path';

/** Debian's PostgreSQL 15. */
export const POSTGRES_15 = '/usr/lib/postgresql/15/bin';

/** As `ssh -o ConnectTimeout=2` does for a machine that is cut off. */
const CUT_SECONDS = 2;

/**
 * What an operator has on each machine: pg_ctl, pg_basebackup and pg_rewind behind a few words, called as
 * `ctl DIR PORT WORD [MEMBER HOST PORT [USER PASSFILE]]`. A standby of nobody has an empty host and port. Exit code 4 of `rewind`: the data does not allow it;
 * 255: the machine is cut off (`DIR.cut` is there).
 */
export function writeCtl(dir: string, {slots}: {readonly slots: boolean}): string {
  const file = join(dir, 'ctl');
  writeFileSync(
    file,
    `#!/bin/sh
set -eu
dir=$1 port=$2 word=$3 name=\${4:-} host=\${5:-} upstream=\${6:-} user=\${7:-replicator} passfile=\${8:-\${dir%/*}/pgpass}
bin=${POSTGRES_15}
export TZ=UTC LC_ALL=C PGPASSFILE=$passfile
cd /
if [ -e "$dir.cut" ] && [ -z "\${CTL_ON_THE_MACHINE:-}" ]; then
  sleep ${CUT_SECONDS}
  echo "connect to host \${name:-of $dir}: Connection timed out" >&2
  exit 255
fi
[ "$(id -u)" -ne 0 ] || exec unshare --user --map-user=1000 --map-group=1000 "$0" "$@"
# A killed server whose zombie nobody reaps still has its pid: pg_ctl would take it for running.
runs() {
  pid=$(head -n 1 "$dir/postmaster.pid" 2>/dev/null) || return 1
  state=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c 1)
  [ -n "$state" ] && [ "$state" != Z ] && tr '\\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir "
}
start() { rm -f "$dir/postmaster.pid"; "$bin/pg_ctl" -D "$dir" -o "-p $port" -l "$dir.log" -w -s start </dev/null; }
stop() { runs || return 0; "$bin/pg_ctl" -D "$dir" -m fast -w -s stop; }
# It must be there before the server starts: one that needs more of the log to be consistent would wait for it for ever.
slot() {
  slot=$(echo "$name" | tr - _)
  printf "primary_slot_name = '%s'\\n" "$slot" >>"$dir/auto.new"
  [ -n "$upstream" ] || return 0
  "$bin/psql" -wqAtX "host=$host port=$upstream user=regionctl dbname=postgres" -v ON_ERROR_STOP=1 \\
    -c "select pg_create_physical_replication_slot('$slot', true) where not exists (select from pg_replication_slots where slot_name = '$slot')" >/dev/null
}
# Its place in the chain; everything else that was set on it stays.
follow() {
  : >"$dir/standby.signal"
  if [ -n "$upstream" ]; then conninfo="host=$host port=$upstream user=$user passfile=$passfile application_name=$name"; else conninfo=; fi
  grep -v -e '^primary_conninfo' -e '^primary_slot_name' "$dir/postgresql.auto.conf" >"$dir/auto.new" || true
  printf "primary_conninfo = '%s'\\n" "$conninfo" >>"$dir/auto.new"
  ${slots ? 'slot' : ':'}
  mv "$dir/auto.new" "$dir/postgresql.auto.conf"
}
case $word in
  status) runs || exit 3 ;;
  stop) stop ;;
  start) runs || start ;;
  standby)
    if runs && [ ! -e "$dir/standby.signal" ]; then echo "$name runs as a primary: stop it first"; exit 1; fi
    follow
    if runs; then "$bin/pg_ctl" -D "$dir" -s reload; else start; fi ;;
  rebuild)
    stop
    rm -rf "$dir.new"
    "$bin/pg_basebackup" -D "$dir.new" -d "host=$host port=$upstream user=$user" -w -c fast -X stream
    rm -rf "$dir" && mv "$dir.new" "$dir"
    echo "bytes=$(du -sb "$dir" | cut -f1)"
    follow && start ;;
  rewind)
    stop
    if ! "$bin/pg_rewind" -D "$dir" --source-server="host=$host port=$upstream user=regionctl dbname=postgres" --progress >"$dir.rewind" 2>&1; then
      grep -v '^ *[0-9]*/[0-9]* kB' "$dir.rewind" | tail -n 1
      exit 4
    fi
    sed -n 's/^.*need to copy \\([0-9]*\\) MB.*/bytes=\\1000000/p' "$dir.rewind"
    follow && start ;;
  *) echo "unknown word $word"; exit 2 ;;
esac
`,
  );
  chmodSync(file, 0o755);
  return file;
}

/**
 * Ends what pg_ctl has started below `dir` when this process is gone, however it went, and removes the folder: such a server is nobody's child.
 * `end` does so at once.
 */
export function startReaper(dir: string): {end(): Promise<void>} {
  const script = `rounds='1 2 3'
# Whoever says that it ends starts nothing any more.
[ "$(cat)" != ends ] || rounds=1
for round in $rounds; do
  for cwd in $(find /proc/[0-9]* -maxdepth 1 -name cwd -lname "$1/*" 2>/dev/null); do
    pid=\${cwd%/cwd}
    kill -9 "\${pid#/proc/}" 2>/dev/null
  done
  [ "$rounds" = 1 ] || sleep 0.1
done
# A killed server leaves its shared memory behind: line 7 names it.
for file in "$1"/*/postmaster.pid; do
  sed -n 7p "$file" 2>/dev/null | { read -r key id && ipcrm -m "$id" 2>/dev/null; }
done
rm -rf "$1"`;
  const child: ChildProcess = spawn('/bin/sh', ['-c', script, 'reaper', dir], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Neither it nor its pipe keeps this process alive.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return {
    end: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.ref();
        child.once('exit', () => resolve());
        child.stdin?.end('ends');
      }),
  };
}
