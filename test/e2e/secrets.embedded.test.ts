import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {LabSession, type Ran} from './lab-session.ts';
import {SecretHunt} from './secret-hunt.ts';

const DRILL = resolve(import.meta.dirname, '../../examples/drills/region-lost.yaml');
/* With characters that every encoding changes. */
const PLANTED = {
  role: 'Planted/Role+4711 %&"x"',
  wrong: 'Planted/Wrong+4712 %&"x"',
  literal: 'Planted-Literal-4713',
  fromEnv: 'Planted/Env+4714 %&"x"',
};
const ENV_NAME = 'REGIONCTL_E2E_PASSWORD';

const READING = [
  ['doctor'],
  ['status'],
  ['health', 'check'],
  ['health', 'check', '--format', 'nagios'],
  ['health', 'check', '--format', 'prometheus'],
  ['replication', 'lag'],
  ['replication', 'loss', '--to', 'eu-west'],
  ['failover', 'plan'],
  ['runs', 'list'],
  ['runs', 'show', 'last'],
];
/* Those that log in to servers. */
const CONNECTING = READING.filter(([topic, , format]) => topic !== 'runs' && format === undefined);
const FAILING = [
  ['failover', 'run', '--yes'],
  ['failback', 'run', '--yes'],
  ['drill', 'run', DRILL],
  ['drill', 'run', 'missing.yaml', '--yes'],
  ['runs', 'show', 'missing'],
  ['runs', 'resume', 'missing'],
  ['replication', 'loss', '--to', 'mars'],
  ['health', 'check', '--mars'],
  ['mars'],
];
/* Where --format ndjson is known; elsewhere it is one more wrong flag, which once is enough. */
const STREAMS = /^(failover run|failback run|drill run|mars)/;

const lab = new LabSession();
let hunt: SecretHunt;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  await lab.up();
  const random = ['control', 'replicator', 'app'].map((name) => [name, lab.secret(name)]);
  hunt = new SecretHunt({...PLANTED, ...Object.fromEntries(random)});
  await lab.sql('us-east', `alter role regionctl password ${pg.escapeLiteral(PLANTED.role)}`);
  writeFileSync(join(lab.dir, 'secrets/regionctl'), PLANTED.role);
  writeFileSync(join(lab.dir, 'secrets/wrong'), PLANTED.wrong, {mode: 0o600});
  env = {XDG_CACHE_HOME: join(lab.parent, 'cache'), XDG_DATA_HOME: join(lab.parent, 'data')};
});
afterAll(() => lab.remove());

describe('no secret is found', () => {
  it('whatever is run, in what it prints, in files, in the process list', async () => {
    const over = new AbortController();
    const watching = hunt.processes(over.signal);
    const runs = [
      ...everyWay([...READING, ...FAILING], {DEBUG: '1'}),
      ...everyWay(CONNECTING, {DEBUG: '*'}).filter(({args}) => args.includes('--json')),
      ...everyWay(
        [
          ['doctor'],
          ['health', 'check'],
          ['replication', 'loss', '--to', 'eu-west'],
          ['failover', 'run', '--yes'],
          ['drill', 'run', DRILL, '--yes'],
        ],
        {DEBUG: '1', REGIONCTL_FLEET: variant('wrong', `\${file:secrets/wrong}`)},
      ),
      ...everyWay([['status'], ['health', 'check']], {
        DEBUG: '1',
        REGIONCTL_FLEET: variant('exec', `\${exec:cat ${lab.dir}/secrets/regionctl}`),
      }),
      ...everyWay([['status']], {DEBUG: '1', REGIONCTL_FLEET: variant('exec-wrong', `\${exec:cat ${lab.dir}/secrets/wrong missing}`)}),
      ...everyWay([['status']], {REGIONCTL_FLEET: variant('literal', PLANTED.literal)}),
    ];
    const ran = await several(runs, 3);

    const drill = await lab.run(['drill', 'run', DRILL, '--yes', '--format', 'ndjson'], {env: {...env, DEBUG: '1'}});
    const failback = await lab.run(['failback', 'run', '--yes'], {env: {...env, DEBUG: '*'}});
    for (const each of [drill, failback]) hear('a run', each);
    over.abort();
    expect(await watching).toBeGreaterThan(20);

    // That they did what they were meant to do.
    expect([drill.code, failback.code]).toEqual([0, 0]);
    const saidBy = (fleet: string) => ran.filter((each) => each.fleet === fleet).map(({stdout, stderr}) => stdout + stderr);
    expect(saidBy('wrong').join('\n')).toContain('password authentication failed');
    expect(ran.filter(({fleet}) => fleet === 'literal').map(({code}) => code)).toEqual([78, 78]);
    // Its secret got it in; beside so many others an endpoint may be late, which is a warning (1).
    expect(saidBy('exec').filter((text) => text.includes('password authentication failed'))).toEqual([]);
    const checked = ran.filter(({fleet, name}) => fleet === 'exec' && name === 'health check').map(({code}) => code);
    expect(checked.map((code) => code === 0 || code === 1)).toEqual([true, true]);
    expect(saidBy('exec-wrong')).toEqual([expect.stringContaining('exec'), expect.stringContaining('exec')]);

    huntFiles();
    expect(hunt.finds).toEqual([]);
  });

  it('in the environment of what a command starts, when it comes from the environment', async () => {
    const over = new AbortController();
    const theirs = new Set<string>();
    const own = new SecretHunt({fromEnv: PLANTED.fromEnv});
    const watching = own.processes(over.signal);
    const fleet = variant('env', `\${env:${ENV_NAME}}`);
    for (const args of CONNECTING)
      hear(args.join(' '), await lab.run(args, {env: {...env, DEBUG: '1', REGIONCTL_FLEET: fleet, [ENV_NAME]: PLANTED.fromEnv}}));
    over.abort();
    await watching;
    // The processes that were given it have it; their arguments do not.
    for (const {where} of own.finds) theirs.add(where.split(' ')[0] ?? '');
    expect([...theirs]).toEqual(['environ']);
    huntFiles();
    expect(hunt.finds).toEqual([]);
  });

  it('by a hunt that would find one', async () => {
    const control = new SecretHunt(PLANTED);
    control.files(join(lab.dir, 'secrets'));
    control.text('base64', Buffer.from(`regionctl:${PLANTED.role}`).toString('base64'));
    control.text('url', `postgres://regionctl:${encodeURIComponent(PLANTED.role)}@db`);
    const over = new AbortController();
    const child = spawn('sleep', ['10'], {env: {SECRET: PLANTED.wrong}});
    const watching = control.processes(over.signal);
    await expect.poll(() => control.finds.length, {timeout: 5000, interval: 20}).toBeGreaterThanOrEqual(5);
    child.kill();
    over.abort();
    await watching;
    expect(control.finds.map(({where}) => where.split(' ')[0])).toEqual(expect.arrayContaining(['base64', 'url', 'environ']));
  });
});

type Job = {readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv};

function everyWay(commands: readonly (readonly string[])[], more: NodeJS.ProcessEnv): Job[] {
  const formats = (command: string) => (STREAMS.test(command) ? [[], ['--json'], ['--format', 'ndjson']] : [[], ['--json']]);
  return commands.flatMap((command) =>
    formats(command.join(' ')).map((format) => ({args: [...command, ...format], env: {...env, ...more}})),
  );
}

/** A copy of the lab's fleet file with another reference for the password of the role. */
function variant(name: string, reference: string): string {
  const file = join(lab.dir, `${name}.yaml`);
  writeFileSync(file, readFileSync(lab.fleetFile, 'utf8').replaceAll(`\${file:secrets/regionctl}`, reference));
  return file;
}

/** Runs them, a few at a time. */
async function several(jobs: readonly Job[], atOnce: number): Promise<readonly (Ran & {fleet: string; name: string})[]> {
  const left = jobs.values();
  const done: (Ran & {fleet: string; name: string})[] = [];
  const worker = async () => {
    for (const {args, env: own} of left) {
      const ran = await lab.run(args, {env: own});
      hear(`${args.join(' ')} (${basename(own.REGIONCTL_FLEET ?? 'lab')})`, ran);
      done.push({...ran, fleet: basename(own.REGIONCTL_FLEET ?? 'lab', '.yaml'), name: args.slice(0, 2).join(' ')});
    }
  };
  await Promise.all(Array.from({length: atOnce}, worker));
  return done;
}

function hear(name: string, {stdout, stderr, code}: Ran): void {
  expect(code, `${name} was killed`).not.toBeNull();
  hunt.text(`stdout of ${name}`, stdout);
  hunt.text(`stderr of ${name}`, stderr);
}

/** Where secrets belong: their own folder, the file that PostgreSQL reads them from, and our fleet file with a literal. */
function huntFiles(): void {
  const home = (path: string) =>
    path.startsWith(join(lab.dir, 'secrets')) || path === join(lab.dir, 'literal.yaml') || basename(path) === 'pgpass';
  expect(hunt.files(lab.parent, {except: home})).toBeGreaterThan(10);
  const {dataRoot} = JSON.parse(readFileSync(join(lab.dir, 'lab.json'), 'utf8')) as {dataRoot: string};
  expect(hunt.files(dataRoot, {except: home, plainOnly: true})).toBeGreaterThan(1000);
}
