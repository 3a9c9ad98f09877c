import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {CliLab} from './cli-lab.ts';
import {documentOf, errorOf, expectNoTrace, expectSchema, ROOT, shown} from './program.ts';
import {everyLine, noTerminal, Terminal} from './terminal.ts';

const lab = new CliLab();
const BY_THE_TEST = 'by-the-test';
const DRILL = join(import.meta.dirname, 'fixtures/quick-drill.yaml');
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what must not be there
const ESCAPE = /\u001B/u;
const without = noTerminal();

beforeAll(async () => {
  const result = await lab.up();
  expect(result.status, shown(result)).toBe(0);
});
afterAll(() => lab.down());

/** Each command that only looks, with the schema of its document and the codes with which it may end. */
const LOOKS: readonly (readonly [string, string, readonly number[]])[] = [
  ['health check', 'health-check', [0]],
  ['health check --region ap', 'health-check', [0]],
  ['replication lag', 'replication-lag', [0]],
  ['replication lag --window 24h', 'replication-lag', [0]],
  ['replication loss --to eu-west', 'replication-loss', [0, 1]],
  ['replication topology', 'replication-topology', [0]],
  ['replication slots', 'replication-slots', [0]],
  ['consistency audit', 'consistency-audit', [0]],
  ['consistency audit --quick', 'consistency-audit', [0]],
  ['consistency audit --explain', 'consistency-audit-explain', [0]],
  ['consistency explain 1 --table orders', 'consistency-explain', [0]],
  ['failover plan', 'failover-plan', [77]],
  ['switchover plan', 'failover-plan', [0]],
  ['failover ready', 'failover-ready', [0]],
  ['runs list', 'runs-list', [0]],
  ['drill list', 'drill-list', [0]],
  ['drill due', 'drill-due', [0]],
  ['status', 'status', [0]],
  ['doctor', 'doctor', [0, 1]],
  ['lab status', 'lab-status', [0]],
  ['drill clean --dry-run', 'drill-clean', [0]],
  ['lab heal ap', 'lab-heal', [0]],
  ['lab load --rate 50 --duration 100ms', 'lab-load', [0]],
  ['health history --since 2d', 'health-history', [0]],
  ['version', 'version', [0]],
];
/** Their texts are for programs, or too short to be interesting. */
const NO_TEXT = /^(version|lab (heal|load))/u;

describe('a healthy fleet', () => {
  it.each(LOOKS)('%s: the document is what its schema says, the text fits 80 columns', async (command, schema, codes) => {
    const fits = without === null && !NO_TEXT.test(command) ? fitsTerminal(command, codes) : null;
    // One audit of a store runs at a time.
    if (command.startsWith('consistency audit')) await fits;
    const [document] = await Promise.all([lab.document(command.split(' '), ...codes), fits]);
    expectSchema(schema, document, JSON.stringify(document, null, 1));
  });

  it('colours only where they are wanted', async ({skip}) => {
    if (without !== null) skip(without);
    const coloured = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const terminal = new Terminal(args, {columns: 80, env: {...lab.env, ...env}});
      return ESCAPE.test((await terminal.ended()).output);
    };
    const wanted = await Promise.all([
      coloured(['health', 'check']),
      coloured(['health', 'check', '--no-color']),
      coloured(['status', '--json']),
    ]);
    expect(wanted).toEqual([true, false, false]);
    const plain = [
      coloured(['health', 'check'], {NO_COLOR: '1'}),
      coloured(['failover', 'plan'], {NO_COLOR: '1'}),
      coloured(['status'], {TERM: 'dumb'}),
      coloured(['--help'], {TERM: 'dumb'}),
    ];
    expect(await Promise.all(plain)).toEqual([false, false, false, false]);
    expect((await lab.run('status')).stdout).not.toMatch(ESCAPE);
  });

  it('health check speaks to monitoring', async () => {
    const formats = ['nagios', 'prometheus', 'junit'].map((format) => lab.run('health', 'check', '--format', format));
    const [nagios, prometheus, junit] = await Promise.all(formats);
    for (const result of [nagios, prometheus, junit]) expect(result, result && shown(result)).toMatchObject({status: 0, stderr: ''});
    expect(nagios?.stdout).toMatch(/^\S* ?OK\b.*\|.*=/u);
    for (const line of prometheus?.stdout.trim().split('\n') ?? [])
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[^"\n]*",?)*\})? -?[\d.e+]+)$/u);
    expect(junit?.stdout).toMatch(/^<\?xml[\s\S]*<testsuites?[ >][\s\S]*<\/testsuites?>\s*$/u);
  });
});

describe('a plan writes nothing', () => {
  it('by the statement logs of all servers, and in the state', async () => {
    await lab.run('replication', 'lag'); // makes the file that remembers lag
    const before = contentOf(lab.dir);
    const marks = await logEverything(true);
    const passed = ['--to', 'eu-west', '--override', 'region-down', '--reason', 'a test'];
    const looks = [
      await lab.run('failover', 'plan', ...passed),
      await lab.run('failover', 'run', '--dry-run', '--override', 'primary-silent', ...passed),
      await lab.run('switchover', 'run', '--dry-run', '--to', 'eu-west'),
      await lab.run('drill', 'run', 'region-lost', '--dry-run'),
      await lab.run('drill', 'run', 'replication-lag', '--dry-run'),
    ];
    expect([0, 77]).toContain(looks[0]?.status);
    const rehearsed = looks.slice(1).map(({status}) => status);
    expect(rehearsed, looks.map(shown).join('\n')).toEqual([0, 0, 0, 0]);
    const said = await logEverything(false, marks);
    expect(said.length, 'nothing was logged: the test proves nothing').toBeGreaterThan(3);
    for (const statement of said) {
      expect(statement).toMatch(READS);
      expect(statement).not.toMatch(CHANGES);
    }
    expect(contentOf(lab.dir)).toEqual(before);
    expect((await lab.document(['runs', 'list'])).runs).toEqual([]);
  });
});

describe('a lost region', () => {
  beforeAll(async () => {
    expectSchema('lab-fault', await lab.document(['lab', 'fault', 'lose', 'us-east', '--lease', '10m']));
  });

  it.each([
    ['health check', 'health-check', [2, 3]],
    ['replication lag', 'replication-lag', [2, 3]],
    ['replication loss --to eu-west', 'replication-loss', [0, 1, 3]],
    ['replication topology', 'replication-topology', [2, 3]],
    ['replication slots', 'replication-slots', [0, 3]],
    ['failover plan', 'failover-plan', [0]],
    ['status', 'status', [2, 3]],
    ['doctor', 'doctor', [1, 2, 3]],
    ['lab status', 'lab-status', [0]],
  ] as const)('%s: what is not known is null, with a reason', async (command, schema, codes) => {
    const [document] = await Promise.all([
      lab.document(command.split(' '), ...codes),
      without === null ? fitsTerminal(command, codes) : null,
    ]);
    expectSchema(schema, document, JSON.stringify(document, null, 1));
    expectUnknownsAreHonest(document);
  });

  it('failover run, and runs show last', async () => {
    const run = await lab.document(['failover', 'run', '--to', 'eu-west', '--yes', '--no-guard'], 1);
    expectSchema('run', run);
    // Its witness began in the gap: it has seen neither the gap's beginning nor what was acknowledged before it.
    expect(run).toMatchObject({outcome: 'succeeded', from: 'us-east', to: 'eu-west', measured: {writeGapMs: null, lostWrites: null}});
    const shownRun = await lab.document(['runs', 'show', 'last'], 0);
    expect(shownRun).toEqual(run);
    const {runs} = await lab.document(['runs', 'list']);
    expectSchema('runs-list', {runs});
    expect(runs).toMatchObject([{runId: run.runId, outcome: 'succeeded'}]);
    if (without === null) for (const command of ['runs show last', 'runs list', 'status']) await fitsTerminal(command, [0, 1, 2, 3]);
  });

  it('failback run', async () => {
    await lab.document(['lab', 'heal', 'us-east']);
    const run = await lab.document(['failback', 'run', '--yes'], 0);
    expectSchema('run', run);
    expect(run, JSON.stringify(run, null, 1)).toMatchObject({
      outcome: 'succeeded',
      from: 'eu-west',
      to: 'us-east',
      measured: {lostWrites: 0},
    });
  });

  it('drill run, and its reports', async () => {
    const files = {junit: join(lab.parent, 'drill.xml'), report: join(lab.parent, 'drill.html')};
    const drill = await lab.document(['drill', 'run', DRILL, '--yes', '--junit', files.junit, '--report', files.report], 0, 1);
    expectSchema('drill-run', drill);
    expect(drill).toMatchObject({fleet: 'lab', drill: 'quick', verdict: 'passed', witness: {lost: []}, earlier: []});
    expect(readFileSync(files.junit, 'utf8')).toContain('<testcase classname="quick.verdict" name="the drill passed"');
    expect(readFileSync(files.report, 'utf8')).toMatch(/^<!DOCTYPE html>[\s\S]*Passed[\s\S]*<\/html>\n$/u);
    expect(await lab.document(['drill', 'show'])).toEqual(drill);
    const [html, json, none, other] = await Promise.all([
      lab.run('drill', 'report', 'quick'),
      lab.run('drill', 'report', String(drill.runId), '--format', 'json'),
      lab.run('drill', 'show', 'nothing-of-the-kind', '--json'),
      lab.run('drill', 'show', 'failback', '--json'),
    ]);
    expect(html, shown(html)).toMatchObject({status: 0, stderr: '', stdout: readFileSync(files.report, 'utf8')});
    expect(documentOf(json)).toEqual(drill);
    for (const [refused, says] of [
      [none, 'there is no drill'],
      [other, 'is a failback, not a drill'],
    ] as const)
      expect(errorOf(refused)).toMatchObject({exit: 64, message: expect.stringContaining(says)});
    if (without === null) await fitsTerminal('drill show', [0]);
    await lab.document(['lab', 'heal', 'us-east']);
    const back = await lab.run('failback', 'run', '--yes', '--format', 'ndjson');
    expect(back.status, shown(back)).toBe(0);
    const lines = back.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {type?: string; outcome?: string});
    expect(lines.slice(0, -1).every(({type}) => typeof type === 'string')).toBe(true);
    expectSchema('run', lines.at(-1));
    expect(lines.at(-1)).toMatchObject({outcome: 'succeeded'});
  });
});

it('refusals are error documents, too', async () => {
  const junit = join(lab.parent, 'unasked.xml');
  const [unasked, shut] = await Promise.all([
    lab.run('drill', 'run', DRILL, '--junit', junit, '--json'),
    lab.run('failover', 'run', '--yes', '--json'),
  ]);
  // What an earlier drill left there would be taken for the result of this one.
  expect(readFileSync(junit, 'utf8')).toContain('<error type="not-started"');
  expectSchema('error', documentOf(unasked));
  expect(unasked, shown(unasked)).toMatchObject({status: 64, stderr: ''});
  expect(documentOf(unasked)).toMatchObject({error: {message: expect.stringContaining('--yes')}});
  expect(shut, shown(shut)).toMatchObject({status: 77, stderr: ''});
  expectSchema('error', documentOf(shut));
  expectNoTrace(shut);
});

it('every command with --json has a published schema', () => {
  const published = readdirSync(join(ROOT, 'schemas')).map((file) => file.replace('.schema.json', ''));
  expect(published).toEqual(
    expect.arrayContaining([...LOOKS.map(([, schema]) => schema), 'run', 'drill-run', 'lab-fault', 'lab-down', 'init', 'error']),
  );
});

/** The text of a command in a terminal of 80 columns: no line is wider, and nothing of the machine shows. */
async function fitsTerminal(command: string, codes: readonly number[]): Promise<void> {
  const columns = 80;
  const terminal = new Terminal(command.split(' '), {columns, env: lab.env});
  const {status, output} = await terminal.ended();
  expect(codes, output).toContain(status);
  for (const line of everyLine(output)) expect(line.length, `${line}\n${output}`).toBeLessThanOrEqual(columns);
  expect(output).not.toMatch(/\b(undefined|NaN|null|\[object)\b/u);
}

/** Where a figure is null there is a reason, and what a region that cannot be reached says is never 0. */
function expectUnknownsAreHonest(value: unknown): void {
  if (Array.isArray(value)) for (const each of value) expectUnknownsAreHonest(each);
  if (typeof value !== 'object' || value === null) return;
  const fields = value as Record<string, unknown>;
  const reason = fields.reason ?? fields.detail ?? fields.basis ?? fields.says;
  const unknown = fields.state === 'unknown' || fields.certainty === 'unknown' || fields.verdict === 'unknown';
  if (unknown) {
    expect(typeof reason === 'string' && reason.length > 10, JSON.stringify(fields)).toBe(true);
    for (const name of ['seconds', 'replayBytes', 'flushBytes', 'bytes', 'transactions', 'latencyMs'])
      if (name in fields) expect(fields[name], JSON.stringify(fields)).toBeNull();
  }
  for (const each of Object.values(fields)) expectUnknownsAreHonest(each);
}

/** What a plan may say to a server, and what is a change in whatever it is wrapped. */
const READS =
  /^(with|select|show|begin|commit|rollback|set (local |session )?(statement_timeout|lock_timeout|application_name)|deallocate|discard)\b/iu;
const CHANGES =
  /\b(insert|update|delete|merge|alter|create|drop|grant|truncate|copy|pg_reload_conf|pg_terminate_backend|pg_cancel_backend|pg_promote|pg_(try_)?advisory\w*|pg_wal_replay_pause|set_config|pg_switch_wal|pg_create_\w+)\b/iu;

/** Everything below the lab's folder but the servers' logs and the memory of lag (a row of a table that is there): names and sizes. */
function contentOf(dir: string): readonly string[] {
  const files = readdirSync(dir, {recursive: true, encoding: 'utf8'}).filter((name) => !/^logs\/|-(wal|shm)$/u.test(name));
  return files
    .filter((name) => statSync(join(dir, name)).isFile())
    .map((name) => `${name} ${/state\.db$/.test(name) ? '' : statSync(join(dir, name)).size}`)
    .toSorted();
}

/**
 * Turns the log of all statements on or off on all servers. Given where each log ended before, gives the statements since then, but for
 * those of the lab's own services and of this test.
 */
async function logEverything(on: boolean, marks: readonly number[] = []): Promise<string[] & number[]> {
  const {regions} = (await lab.document(['lab', 'status'])) as {regions: {region: string; direct: {postgres: string}}[]};
  const found: unknown[] = [];
  for (const [index, {region, direct}] of regions.entries()) {
    const file = join(lab.dir, `logs/${region}-postgres.log`);
    if (!on) found.push(...statementsOf(readFileSync(file, 'utf8').slice(marks[index])));
    await asSuperuser(direct.postgres, on ? 'all' : 'none');
    if (on) found.push(readFileSync(file, 'utf8').length);
  }
  return found as string[] & number[];
}

function statementsOf(log: string): string[] {
  const entries = log.split(/^(?=\d{4}-\d\d-\d\d \S+ UTC \[)/mu);
  return entries.flatMap((entry) => {
    const [, app, statement] = /^[^\]]*\] regionctl\/(\S*) LOG: {2}(?:statement|execute [^:]*): ([\s\S]*)/u.exec(entry) ?? [];
    return statement === undefined || app === BY_THE_TEST ? [] : [statement.replaceAll(/\s+/gu, ' ').trim()];
  });
}

async function asSuperuser(address: string, statements: string): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const password = readFileSync(join(lab.dir, 'secrets/regionctl'), 'utf8');
  const client = new pg.Client({
    host,
    port: Number(port),
    user: 'regionctl',
    password,
    database: 'orders',
    application_name: BY_THE_TEST,
  });
  await client.connect();
  try {
    await client.query(`ALTER SYSTEM SET log_statement = '${statements}'`);
    await client.query("ALTER SYSTEM SET log_line_prefix = '%m [%p] %u/%a '");
    await client.query('SELECT pg_reload_conf()');
    await expect
      .poll(async () => (await client.query('SHOW log_statement')).rows[0]?.log_statement, {timeout: 5000, interval: 20})
      .toBe(statements);
  } finally {
    await client.end();
  }
}
