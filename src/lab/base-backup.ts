import {spawn} from 'node:child_process';
import type {Client} from 'pg';
import {commandAs, POSTGRES_ENV, type RunAs} from './postgres-binaries.ts';

/** From where and to where. `dest` must exist, be empty, and belong to the user that postgres runs as. */
export type BaseBackup = {
  readonly port: number;
  readonly password: string;
  readonly dest: string;
  readonly runAs: RunAs;
  readonly signal: AbortSignal;
};

/** The parts of pg's connection that its types leave out. */
type CopyConnection = {
  stream: {pause(): void; resume(): void; destroy(): void};
  on(event: 'copyData', listener: (message: {chunk: Buffer}) => void): void;
};

/** No data for this long = the upstream is out of reach. */
const SILENCE_MS = 30_000;

/** Copies a running server into `dest` over the replication protocol, with the WAL that it takes to start. Answers the bytes that were copied. */
export async function takeBaseBackup(backup: BaseBackup): Promise<number> {
  const {default: pg} = await import('pg');
  const client: Client = new pg.Client({
    host: '127.0.0.1',
    port: backup.port,
    user: 'replicator',
    password: backup.password,
    database: 'postgres',
    // The walsender protocol; pg's types do not know it.
    ...{replication: 'true'},
    connectionTimeoutMillis: 5000,
  });
  const lost = new Promise<never>((_, reject) => client.on('error', reject));
  lost.catch(() => undefined);
  try {
    await client.connect();
    return await Promise.race([receive(client, backup), lost]);
  } finally {
    connectionOf(client).stream.destroy();
  }
}

async function receive(client: Client, backup: BaseBackup): Promise<number> {
  const connection = connectionOf(client);
  const untar = startUntar(backup);
  let bytes = 0;
  let archives = 0;
  let heardAt = performance.now();
  let give: (reason: Error) => void = () => undefined;
  const given = new Promise<never>((_, reject) => {
    give = reject;
  });
  given.catch(() => undefined);
  const watch = setInterval(() => {
    if (performance.now() - heardAt > SILENCE_MS) give(new Error(`the upstream sent nothing for ${SILENCE_MS / 1000} s`));
  }, 1000);
  const onAbort = () => give(new Error('the backup was cancelled'));
  backup.signal.addEventListener('abort', onAbort, {once: true});
  untar.done.catch(give);
  connection.on('copyData', ({chunk}) => {
    heardAt = performance.now();
    const kind = chunk[0];
    if (kind === 0x6e) archives += 1; // 'n': a new archive begins; a second one would be a tablespace.
    if (archives > 1) give(new Error('a server with tablespaces cannot be copied'));
    else if (kind === 0x64) {
      bytes += chunk.length - 1;
      // pg uses its buffer again: without the copy the archive would be corrupt.
      if (!untar.stdin.write(Buffer.from(chunk.subarray(1)))) {
        connection.stream.pause();
        // What was read already still comes: one is enough to go on.
        if (untar.stdin.listenerCount('drain') === 0) untar.stdin.once('drain', () => connection.stream.resume());
      }
    }
  });
  try {
    const command = "BASE_BACKUP (LABEL 'regionctl', CHECKPOINT 'fast', WAL true, WAIT false, MANIFEST 'no', TARGET 'client')";
    await Promise.race([client.query(command), given]);
    untar.stdin.end();
    await Promise.race([untar.done, given]);
    return bytes;
  } finally {
    clearInterval(watch);
    backup.signal.removeEventListener('abort', onAbort);
    untar.kill();
  }
}

function startUntar(backup: BaseBackup) {
  const command = commandAs(backup.runAs, 'tar', ['xf', '-', '-C', backup.dest, '--no-same-owner']);
  const child = spawn(command.file, command.args, {cwd: backup.dest, env: POSTGRES_ENV, stdio: ['pipe', 'ignore', 'pipe'], ...command.ids});
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-1000);
  });
  child.stdin.on('error', () => undefined); // tar ended early: its exit code says why.
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`tar ended with ${code}: ${said.trim()}`))));
  });
  done.catch(() => undefined);
  return {stdin: child.stdin, done, kill: () => child.exitCode === null && child.kill('SIGKILL')};
}

function connectionOf(client: Client): CopyConnection {
  return (client as unknown as {connection: CopyConnection}).connection;
}
