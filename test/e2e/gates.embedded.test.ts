import {appendFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readRecord} from '../../src/lab/record.ts';
import type {PlanDocument} from '../../src/lib/plan/plan-document.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {LabSession} from './lab-session.ts';

// Each gate refuses for its own reason, and for no other; who passes it by name is on the record. One lab, from one trouble to the next: four
// regions, so that one may be lost and the new primary still has somebody to acknowledge its writes.
const lab = new LabSession();
beforeAll(async () => {
  await lab.up('--regions', '4');
  // Nothing here is about how fast a region answers: a machine that is busy must not look like one that is ill.
  const text = readFileSync(lab.fleetFile, 'utf8');
  writeFileSync(lab.fleetFile, text.replaceAll('timeout: 1s', 'timeout: 5s').replaceAll('slow: 500ms', 'slow: 5s'));
});
afterAll(() => lab.remove());

type Refusal = {readonly error: {readonly code: string; readonly message: string}};
type Gates = Pick<PlanDocument, 'gates'>;
/** By gate: how it stands, and what it says. */
type Expected = Readonly<Record<string, readonly ['refuse' | 'unknown', RegExp]>>;
type Where = {readonly fleet?: string; readonly env?: NodeJS.ProcessEnv};
/** What stands against leaving a primary that is well and written to. */
const lives: Expected = {
  'region-down': ['refuse', /^us-east is healthy, so nothing needs to fail over: 3 endpoints healthy$/],
  'primary-silent:orders': ['refuse', /^\S+ heard us-east \d+ ms ago: it is alive$/],
};
const REASON = 'the bridge decided';

/** The same fleet file, changed. A change that changes nothing would prove nothing. */
function variant(name: string, ...changes: readonly Change[]): string {
  let text = readFileSync(lab.fleetFile, 'utf8');
  for (const [from, to] of changes) {
    const before = text;
    text = text.replaceAll(new RegExp(from, 'gm'), to);
    if (text === before) throw new Error(`the fleet file of the lab has nothing like ${from}`);
  }
  const file = join(lab.dir, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

type Change = readonly [RegExp, string];
/** A region whose application answers, with another status than the one that is called healthy. */
const unfit = (region: string): Change => [new RegExp(`( {2}${region}:\\n {4}juris[\\s\\S]*?expectStatus: )200`), '$1204'];
/** A member whose host cannot be asked, and one whose server cannot be reached either: nobody listens on that port. */
const mute = (member: string): Change => [new RegExp(`( {6}${member}:\\n(?: {8}.*\\n)*? {8}host: .*url: ")[^"]*`), '$1http://127.0.0.1:9'];
const outOfReach = (member: string): readonly Change[] => [
  mute(member),
  [new RegExp(`( {6}${member}:\\n {8}region: .*\\n {8}address: ).*`), '$1127.0.0.1:9'],
];

/** regionctl on a machine whose clock is ten seconds behind everybody's. */
function slowClock(): NodeJS.ProcessEnv {
  const file = join(lab.parent, 'slow-clock.mjs');
  writeFileSync(file, 'const now = Date.now;\nDate.now = () => now() - 10_000;\n');
  return {NODE_OPTIONS: `--import=${file}`};
}

const on = ({fleet = lab.fleetFile, env = {}}: Where) => ({env: {REGIONCTL_FLEET: fleet, ...env}});
const passing = (gates: readonly string[]) => [...gates.flatMap((gate) => ['--override', gate]), '--reason', REASON];

/** The plan is refused, and by exactly these gates, each with its own sentence. */
async function refuses(args: readonly string[], gates: Expected, where: Where = {}): Promise<void> {
  const plan = await lab.json<PlanDocument>(77, args, on(where));
  const shut = plan.gates.filter(({verdict}) => verdict !== 'pass').map(({id, verdict, says}) => [id, [verdict, says]]);
  const wanted = Object.entries(gates).map(([id, [verdict, says]]) => [id, [verdict, expect.stringMatching(says)]]);
  expect(Object.fromEntries(shut)).toEqual(Object.fromEntries(wanted));
}

/** Nobody may pass this gate, and who tries is told so. */
async function isFixed(args: readonly string[], gate: string, where: Where = {}): Promise<void> {
  const {error} = await lab.json<Refusal>(77, [...args, ...passing([gate])], on(where));
  expect(error.code).toBe('not-overridable');
  expect(error.message).toMatch(new RegExp(`^the gate ${gate}\\S* cannot be overridden: `));
}

/** It runs once every one of these gates is passed by name, and `runs show` tells who did that and why. */
async function runsWith(code: number, args: readonly string[], gates: readonly string[], where: Where = {}): Promise<RunDocument> {
  const run = await lab.json<RunDocument>(code, [...args, '--yes', ...passing(gates)], on(where));
  // A run of a machine whose clock is behind is not the newest one, so it is not `last`.
  const shown = await lab.json<RunDocument>(0, ['runs', 'show', where.env === undefined ? 'last' : run.runId]);
  expect(shown.runId).toBe(run.runId);
  expect(shown.overrides).toEqual(gates.map((gate) => ({gate: full(gate, shown), reason: REASON, by: expect.stringMatching(/^\S+@\S+/)})));
  const passed = shown.gates.filter(({overridden}) => overridden);
  expect(passed.map(({id}) => id).sort()).toEqual(gates.map((gate) => full(gate, shown)).sort());
  expect(passed.filter(({verdict}) => verdict === 'pass')).toEqual([]);
  return run;
}

/** Lets the primary say something all the time, until it is closed: one that has nothing to say is not known to live. */
async function keepTalking(region: string): Promise<void> {
  // As a client: a session of our own role could not be shut out.
  const session = await lab.connect(region, {user: 'app', password: lab.secret('app').trim()});
  const loop = `do $$ begin loop perform pg_logical_emit_message(true, 'alive', ''); commit; perform pg_sleep(0.02); end loop; end $$`;
  session.query(loop).catch(() => session.end());
}

const full = (gate: string, {gates}: Gates) => gates.find(({id}) => id.split(':')[0] === gate)?.id ?? gate;
const shownLast = (fleet: string) => lab.run(['runs', 'show', 'last', '--json', '--fleet', fleet]);

describe('in a fleet that is well', () => {
  beforeAll(() => keepTalking('us-east'));

  it('a failover has no reason, a target that is not fit, clocks that are apart', async () => {
    await refuses(['failover', 'plan'], {...lives});
    await refuses(
      ['failover', 'plan', '--to', 'eu-west'],
      {
        ...lives,
        'target-healthy': ['refuse', /^eu-west is unhealthy: app: .*200/],
        'clocks:orders': ['refuse', /^the clock of \S+ is 10\.?\d* s ahead of this machine$/],
      },
      {fleet: variant('unfit', unfit('eu-west')), env: slowClock()},
    );
  });

  // The gate of residency never gets to refuse: the fleet file may name no member in a region that its data may not be in.
  it('data goes nowhere that its class may not be in', async () => {
    const elsewhere: Change = [/allowed: \[.*\]/, 'allowed: [US, EU]'];
    const invalid = await lab.json<Refusal>(78, ['failover', 'plan'], on({fleet: variant('barred', elsewhere)}));
    expect(invalid.error.message).toMatch(/"user-content" may be in US, EU only; ap is in SG/);
    const fleet = variant('apart', elsewhere, [/^ {6}(ap|sa):\n( {8}.*\n)+/, ''], [/, (ap|sa): "[^"]*"/, '']);
    const {error} = await lab.json<Refusal>(77, ['failover', 'plan', '--to', 'ap'], on({fleet}));
    expect(error).toMatchObject({code: 'no-target', message: expect.stringContaining('user-content may not be in ap (SG)')});
  });

  it('another run acts on it', async () => {
    const fleet = variant('approved', [/^stores:\n/, 'approval: {approvers: 1, before: [fence], expires: 1m}\nstores:\n']);
    const other = lab.run(['switchover', 'run', '--yes', '--json', '--fleet', fleet]);
    await expect.poll(async () => (await shownLast(fleet)).stdout, {timeout: 15_000, interval: 200}).toContain('"outcome": "paused"');
    const held = ['refuse', /^\S+@\S+ \(pid \d+\) acts on the fleet with run switchover-/] as const;
    try {
      const claimed = ['refuse', /^orders is claimed on \S+ by regionctl switchover-\S+, process \d+, since /] as const;
      await refuses(['failover', 'plan'], {...lives, 'run-alone': held, 'unclaimed:orders': claimed});
      await isFixed(['failover', 'plan'], 'run-alone');
    } finally {
      await lab.json(0, ['runs', 'abort', 'last', '--fleet', fleet, '--reason', REASON]);
      expect((await other).code).toBe(2);
    }
  });

  it('too few standbys answer to seal the primary out', async () => {
    await lab.lab('fault', 'kill', 'sa');
    const few: Expected = {
      ...lives,
      'standbys:orders': ['refuse', /^2 of the 3 standbys of orders answer \(eu-west, ap\); 3 are needed$/],
      'survivors:orders': ['unknown', /^nothing is known of sa \(/],
      'loss:orders': ['refuse', /^orders loses an unknown number of transactions \(estimate\)/],
    };
    await refuses(['failover', 'plan'], few);
    await isFixed(['failover', 'plan'], 'standbys');
    await lab.lab('heal', 'sa');
  });
});

describe('a planned move', () => {
  it('waits for who does not follow, and never goes to one that does not', async () => {
    await lab.sql('sa', `alter system set primary_conninfo = ''`);
    await lab.sql('sa', 'select pg_reload_conf()');
    await expect.poll(() => lab.sql('sa', 'select 1 from pg_stat_wal_receiver'), {timeout: 5000, interval: 20}).toEqual([]);
    await refuses(['switchover', 'plan'], {'following:orders': ['refuse', /^sa does not follow us-east$/]});
    await isFixed(['switchover', 'plan', '--to', 'sa'], 'following');
    const run = await runsWith(0, ['switchover', 'run'], ['following']);
    expect(run).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
  });

  it('goes home only to a region that is fit', async () => {
    const sick = {fleet: variant('home-unfit', unfit('us-east'))};
    await refuses(['failback', 'plan'], {'target-healthy': ['refuse', /^us-east is unhealthy: app: .*200/]}, sick);
    const run = await runsWith(0, ['failback', 'run'], ['target-healthy'], sick);
    expect(run).toMatchObject({outcome: 'succeeded', to: 'us-east'});
  });
});

/** A line in the access file of a region that its server cannot read. Answers with what mends it. */
function breakAccessFile(region: string): () => void {
  const data = readRecord(lab.dir)?.regions.find(({name}) => name === region)?.data ?? '';
  const file = join(data, 'pg_hba.conf');
  const before = readFileSync(file);
  appendFileSync(file, 'nonsense\n');
  return () => writeFileSync(file, before);
}

describe('a failover', () => {
  it('from a primary that lives, to a server that is not set up for it', async () => {
    await keepTalking('us-east');
    const mend = breakAccessFile('eu-west');
    await refuses(['failover', 'plan'], {
      ...lives,
      'settings:orders': ['refuse', /^eu-west: the pg_hba file cannot be read: /],
    });
    const run = await runsWith(0, ['failover', 'run', '--no-guard'], ['region-down', 'primary-silent', 'settings']);
    expect(run).toMatchObject({outcome: 'succeeded', to: 'eu-west', measured: {lostWrites: 0}});
    mend();
    await lab.json(0, ['failback', 'run', '--yes']);
  });

  const unproven: Expected = {
    'target-healthy': ['refuse', /^eu-west is unhealthy/],
    'fence:orders': ['refuse', /^us-east does not answer \(.*its writes need no quorum: it may still acknowledge writes$/],
    'clocks:orders': ['refuse', /^the clock of \S+ is 10\.?\d* s ahead of this machine$/],
    'loss:orders': [
      'unknown',
      /\(unknown\): the primary of orders acknowledges alone.* the last sample of the lag is from a time that has not come/,
    ],
  };
  const toEuWest = ['--to', 'eu-west'];
  const trouble = (...more: readonly Change[]) => ({
    fleet: variant('trouble', unfit('eu-west'), mute('us-east'), ...more),
    env: slowClock(),
  });

  it('from one that acknowledged alone and is gone, with a survivor that nothing is known of', async () => {
    await lab.sql('us-east', `alter system set synchronous_standby_names = ''`);
    await lab.sql('us-east', 'select pg_reload_conf()');
    await expect
      .poll(() => lab.sql('us-east', 'show synchronous_standby_names'), {timeout: 5000, interval: 20})
      .toEqual([{synchronous_standby_names: ''}]);
    // What is remembered of it when it does not answer any more. By a clock that is behind nobody knows how old that is.
    await lab.json(1, ['status']);
    await lab.lab('fault', 'kill', 'us-east');
    const survivors = ['unknown', /^nothing is known of sa \(/] as const;
    await refuses(['failover', 'plan', ...toEuWest], {...unproven, 'survivors:orders': survivors}, trouble(...outOfReach('sa')));
  });

  it('to a region that is not fit, with nothing proven, a survivor that nothing is known of, and clocks apart', async () => {
    const gates = ['target-healthy', 'survivors', 'fence', 'clocks', 'loss'];
    const run = await runsWith(1, ['failover', 'run', ...toEuWest, '--no-guard'], gates, trouble(...outOfReach('sa')));
    expect(run).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
  });

  it('and home again, while one that nobody goes home to is lost', async () => {
    await lab.lab('heal', 'us-east');
    const lost = {fleet: variant('lost', ...outOfReach('sa'))};
    await refuses(['failback', 'plan'], {'survivors:orders': ['unknown', /^nothing is known of sa \(/]}, lost);
    const run = await runsWith(1, ['failback', 'run'], ['survivors'], lost);
    expect(run).toMatchObject({outcome: 'succeeded', code: 'incomplete', to: 'us-east', reason: expect.stringContaining('fence-sa-first')});
    const statusOf = (step: string) => run.steps.find(({id}) => id === step)?.status;
    expect(['save-us-east', 'rejoin-us-east-first', 'save-sa', 'rejoin-sa-first', 'equal'].map(statusOf)).toEqual([
      ...['done', 'done', 'pending', 'pending', 'done'],
    ]);
    // Once it is there again it follows by itself, or, where it held more than the new history, is brought back: nothing has to be moved for that.
    // A machine that stands still for a moment is a reason to refuse, and none to fail here.
    const backAgain = async (): Promise<string> => {
      const {code, stdout} = await lab.run(['failback', 'run', '--yes', '--json']);
      return code === 0 ? 'done' : JSON.parse(stdout).error?.code;
    };
    await expect.poll(backAgain, {timeout: 30_000, interval: 500}).toMatch(/^(done|nothing-to-do)$/);
    const followers = () =>
      lab.sql('us-east', `select application_name as name from pg_stat_replication where state = 'streaming' order by 1`);
    await expect.poll(followers, {timeout: 5000, interval: 50}).toEqual(['ap', 'eu-west', 'sa'].map((name) => ({name})));
  });
});
