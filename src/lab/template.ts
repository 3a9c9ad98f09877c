import {chown, mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type PostgresBinaries, type RunAs, runAsPostgres} from './postgres-binaries.ts';
import {pgHba} from './postgres-settings.ts';
import type {LabMode} from './record.ts';
import {scramVerifier} from './scram.ts';

/** What the template is made of. `conf` is the postgresql.conf of the region that becomes the primary. */
export type TemplateOptions = {
  readonly dir: string;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly conf: string;
  readonly mode: LabMode;
  readonly passwords: {readonly regionctl: string; readonly replicator: string; readonly app: string};
};

/** Table and index of the lab's service. `ref` is deliberately not unique: a write that was done twice must be visible. */
const ORDERS = `create table orders (
  id bigint generated always as identity primary key,
  ref text not null,
  item text not null,
  quantity int not null,
  region text not null,
  created_at timestamptz not null default now()
);

create index orders_ref on orders (ref);

alter table orders owner to app;

`;

/** Makes the database from which every region is cloned, cleanly stopped. The postmaster never runs on it: roles and schema are made in single-user mode. */
export async function makeTemplate(options: TemplateOptions): Promise<void> {
  const {dir, binaries, runAs} = options;
  await mkdir(dir, {mode: 0o700});
  if (runAs.kind === 'uid') await chown(dir, runAs.uid, runAs.gid);
  const args = ['-D', dir, '-U', 'regionctl', '--auth=reject', '--encoding=UTF8', '--no-locale', '--no-instructions', '--no-sync'];
  // Or an interrupted start leaves files in /dev/shm. Older versions cannot be told.
  if (binaries.major >= 16) args.push('-c', 'dynamic_shared_memory_type=mmap');
  await runAsPostgres(runAs, join(binaries.dir, 'initdb'), args, {cwd: dir});
  await writeInto(dir, {'postgresql.conf': options.conf, 'pg_hba.conf': pgHba(options.mode)}, runAs);
  await single(options, 'postgres', rolesSql(options.passwords));
  // What is made in single-user mode gets the number of a catalog, and PostgreSQL never publishes that, without a word: peers make their tables later.
  if (options.mode !== 'active-active') await single(options, 'orders', ORDERS);
}

/** Writes files that the server must be able to read, and only it. */
export async function writeInto(dir: string, files: Readonly<Record<string, string>>, runAs: RunAs): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(dir, name);
    await rm(file, {force: true});
    await writeFile(file, text, {mode: 0o600});
    if (runAs.kind === 'uid') await chown(file, runAs.uid, runAs.gid);
  }
}

/** Verifiers instead of passwords, over stdin: nothing of them is in an argument list or in a log. */
function rolesSql(passwords: TemplateOptions['passwords']): string {
  const literal = (password: string) => `'${scramVerifier(password)}'`;
  return [
    `alter role regionctl password ${literal(passwords.regionctl)}`,
    `create role replicator login replication password ${literal(passwords.replicator)}`,
    `create role app login password ${literal(passwords.app)}`,
    'create database orders owner app',
  ]
    .map((statement) => `${statement};\n\n`)
    .join('');
}

/** One session in single-user mode; the first error ends it. `-j`: statements end with a semicolon and an empty line. */
async function single(options: TemplateOptions, database: string, sql: string): Promise<void> {
  const args = ['--single', '-j', '-D', options.dir, '-c', 'exit_on_error=on', '-c', 'synchronous_standby_names=', database];
  await runAsPostgres(options.runAs, join(options.binaries.dir, 'postgres'), args, {cwd: options.dir, input: sql});
}
