import type {Ctx} from '../../plan/action.ts';
import {act} from './claim.ts';
import {type Cluster, limitsOf, type Node, only} from './cluster.ts';
import {quoteLiteral} from './sql.ts';
import {isDenied} from './trouble.ts';

/** One rule as pg_hba_file_rules shows it. */
export type HbaRule = {
  readonly type: string | null;
  readonly database: readonly string[] | null;
  readonly users: readonly string[] | null;
  readonly address: string | null;
  readonly method: string | null;
  readonly error: string | null;
};

/** What the file of a member looks like: its path, its rules, and whether they are the three that close it. */
export type Hba = {readonly path: string; readonly closed: boolean; readonly error: string | null};

/** The three-line file: our role, replication, nobody else. Local sockets match no line, so they are refused too. */
export function closedLines(user: string, replicationUser: string): readonly string[] {
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  return [
    '# Closed by regionctl: this server is fenced. The file that was here is kept beside it, with .regionctl added to its name.',
    `host all ${quote(user)} all scram-sha-256`,
    `host replication ${quote(replicationUser)} all scram-sha-256`,
    'host all all all reject',
  ];
}

/** Whether rules are those of `closedLines`, and nothing else. */
export function isClosed(rules: readonly HbaRule[], user: string, replicationUser: string): boolean {
  const want = [
    ['all', user, 'scram-sha-256'],
    ['replication', replicationUser, 'scram-sha-256'],
    ['all', 'all', 'reject'],
  ];
  return (
    rules.length === want.length &&
    rules.every(({type, database, users, address, method, error}, index) => {
      const seen = [database?.join(','), users?.join(','), method];
      return error === null && type === 'host' && address === 'all' && seen.every((value, part) => value === want[index]?.[part]);
    })
  );
}

const RULES = `select current_setting('hba_file') as "path", coalesce(jsonb_agg(jsonb_build_object('type', type, 'database', database, 'users', user_name,
  'address', address, 'method', auth_method, 'error', error) order by line_number), '[]') as "rules" from pg_hba_file_rules`;

/** Reads the file as it is on disk now; what the server has loaded is another question. */
export async function readHba(cluster: Cluster, ctx: Ctx, node: Node): Promise<Hba> {
  const {path, rules} = only(await node.session.rows<{path: string; rules: readonly HbaRule[]}>(RULES, [], limitsOf(ctx)), node);
  const error = rules.find((rule) => rule.error !== null)?.error ?? null;
  return {path, closed: isClosed(rules, cluster.user, cluster.replicationUser), error};
}

/** Keeps the present file beside itself, then closes it. A file that is closed already is left alone, so that the kept one stays the original. */
export async function writeClosed(cluster: Cluster, ctx: Ctx, node: Node, hba: Hba): Promise<void> {
  if (hba.closed) return;
  await copyLines(cluster, ctx, node, `string_to_array(pg_read_file(${quoteLiteral(hba.path)}), E'\\n')`, keptPath(hba.path));
  const lines = closedLines(cluster.user, cluster.replicationUser).map(quoteLiteral).join(', ');
  try {
    await copyLines(cluster, ctx, node, `array[${lines}]`, hba.path);
  } catch (error) {
    // The file was not opened, so it is what it was: a kept one would say that the server had been closed.
    if (isDenied(error)) await dropKept(cluster, ctx, node, hba);
    throw error;
  }
}

/** What is read, or null when it is not granted to the role. */
export async function whereAllowed<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

/** Whether a kept file stands beside it: the server was closed, and it is not on record that it is open again. */
export async function hasKept(ctx: Ctx, node: Node, hba: Hba): Promise<boolean> {
  const stat = 'select 1 from pg_stat_file($1, true) where size > 0';
  return (await node.session.rows(stat, [keptPath(hba.path)], limitsOf(ctx))).length > 0;
}

/** Puts the kept file back. The server still goes by the rules that it has loaded. */
export async function restoreKept(cluster: Cluster, ctx: Ctx, node: Node, hba: Hba): Promise<void> {
  await copyLines(cluster, ctx, node, `string_to_array(pg_read_file(${quoteLiteral(keptPath(hba.path))}), E'\\n')`, hba.path);
}

/** Empties the kept file. Only once the rules are in force: until then it tells whoever goes on that they may not be. */
export async function dropKept(cluster: Cluster, ctx: Ctx, node: Node, hba: Hba): Promise<void> {
  await copyLines(cluster, ctx, node, `array[]::text[]`, keptPath(hba.path));
}

const keptPath = (path: string): string => `${path}.regionctl`;

/* COPY is the one way to write a server's file over SQL that also works on a standby. Its CSV form with signs that no such file holds as
   delimiter and quote writes lines as they are; the text form would turn tabs and backslashes into escapes. */
async function copyLines(cluster: Cluster, ctx: Ctx, node: Node, lines: string, path: string): Promise<void> {
  const source = `select replace(l.line, E'\\r', '') from unnest(${lines}) with ordinality as l(line, n) order by l.n`;
  await act(
    cluster,
    ctx,
    node,
    `copy (${source}) to ${quoteLiteral(path)} with (format csv, delimiter E'\\x01', quote E'\\x02', escape E'\\x02', null E'\\x03')`,
  );
}
