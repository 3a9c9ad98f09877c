import {setTimeout as sleep} from 'node:timers/promises';
import {isDeepStrictEqual} from 'node:util';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {AWAY, type Ground, OTHERS} from './evacuation-ground.ts';
import type {Ran} from './lab-session.ts';

/** What a scenario came to. `problems`: what is not as it should be, one sentence each. Counts are of transactions, `gapMs` without a write of the others. */
export type Told = {
  readonly problems: readonly string[];
  readonly unsent: number;
  readonly counted: number | null;
  readonly gapMs: number;
  readonly acknowledged: number;
};

/** The longest pause of the others that is put down to the machine and not to the evacuation, in ms. */
const GAP_MS = 2500;
const LOAD_MS = 1200;

/** The region is killed with a backlog of changes on its lines. */
export async function killed(ground: Ground): Promise<Told> {
  const began = await loaded(ground);
  await ground.lab.lab('fault', 'latency', AWAY, '--ms', '300');
  await sleep(LOAD_MS);
  await ground.lab.lab('fault', 'lose', AWAY);
  return lost(ground, began);
}

/** The region is cut off, and its own clients go on writing to it. */
export async function partitioned(ground: Ground): Promise<Told> {
  const began = await loaded(ground);
  await sleep(LOAD_MS);
  await ground.lab.lab('fault', 'partition', AWAY);
  return lost(ground, began);
}

/** The region is emptied as planned: everything that it wrote arrives first. The runs are killed (-9) on their way where a step is named, and gone on with. */
export async function drained(ground: Ground, kill: {readonly leave?: string; readonly back?: string} = {}): Promise<Told> {
  const problems: string[] = [];
  const began = await loaded(ground);
  ground.leaveDirect(AWAY);
  await sleep(LOAD_MS);
  const evacuation = await carried(ground, ['failover', 'run', '--from', AWAY], kill.leave);
  const wrote = await ground.refsOf(AWAY, AWAY);
  for (const at of OTHERS) check(problems, `${at} has what ${AWAY} wrote`, missing(wrote, await ground.refsOf(AWAY, at)), 0);
  check(problems, 'outcome of the evacuation', [evacuation.kind, evacuation.outcome], ['evacuation', 'succeeded']);
  check(problems, 'lost writes', evacuation.measured.lostWrites, 0);
  const idle = ground.acks.length;
  await sleep(300);
  check(problems, `writes that ${AWAY} still got`, ground.acks.slice(idle).filter(({region}) => region === AWAY).length, 0);
  for (const region of OTHERS) ground.leaveDirect(region);
  const back = await carried(ground, ['failback', 'run', '--to', AWAY], kill.back);
  check(problems, 'outcome of the readmission', [back.kind, back.outcome, back.reason], ['readmission', 'succeeded', 'every step is done']);
  const gapMs = ground.longestGap(began);
  await ended(ground, problems, gapMs);
  return {problems, unsent: 0, counted: evacuation.measured.lostWrites, gapMs, acknowledged: ground.acks.length};
}

async function loaded(ground: Ground): Promise<number> {
  ground.start();
  const began = performance.now();
  await sleep(LOAD_MS);
  return began;
}

/** From the loss of the region to its return: left without being asked, late writes counted, refused until it has caught up and is clean. */
async function lost(ground: Ground, began: number): Promise<Told> {
  const problems: string[] = [];
  const evacuation = await carried(ground, ['failover', 'run']);
  check(problems, 'outcome of the evacuation', [evacuation.kind, evacuation.from, evacuation.outcome], ['evacuation', AWAY, 'succeeded']);
  check(problems, 'lost writes while nobody can ask', evacuation.measured.lostWrites, null);
  const held = await Promise.all(OTHERS.map((at) => ground.refsOf(AWAY, at)));
  await sleep(LOAD_MS);
  // One line stays cut, so that it cannot have caught up.
  await ground.lab.lab('fault', 'partition', OTHERS[0], '--from', AWAY);
  await ground.lab.lab('heal', AWAY);
  ground.leaveDirect(AWAY);
  await refusedBehind(ground, problems);
  // Rows that change a hundred times a second are equal at no look: an audit says that it does not know. Orders go on.
  for (const region of OTHERS) ground.leaveDirect(region);
  await ground.lab.lab('heal', OTHERS[0]);
  const gapMs = ground.longestGap(began);
  await refusedUnclean(ground, problems);
  // Nothing is sent there yet.
  const acknowledged = ground.acks.filter(({region}) => region === AWAY).map(({ref}) => ref);
  const wrote = await ground.refsOf(AWAY, AWAY);
  const back = await carried(ground, ['failback', 'run', '--to', AWAY]);
  check(problems, 'outcome of the readmission', [back.kind, back.outcome, back.reason], ['readmission', 'succeeded', 'every step is done']);
  const alone = [...wrote].filter((ref) => held.every((refs) => !refs.has(ref)));
  const {counted, by} = lateOf(back);
  check(problems, 'late transactions that nobody else had', counted, alone.length);
  for (const [index, at] of OTHERS.entries())
    check(problems, `late transactions of ${at}`, by[at], [...wrote].filter((ref) => held[index]?.has(ref) === false).length);
  check(problems, 'acknowledged writes that are gone', missing(new Set(acknowledged), wrote), 0);
  await ended(ground, problems, gapMs);
  return {problems, unsent: alone.length, counted, gapMs, acknowledged: ground.acks.length};
}

/** 77 while the changes of the others, or its own, have not arrived. Until its endpoints answer again that is said first. */
async function refusedBehind(ground: Ground, problems: string[]): Promise<void> {
  await until(async () => {
    const {code, stderr} = await ground.run('failback', 'run', '--to', AWAY, '--yes');
    if (code !== 77) problems.push(`exit code before it has caught up: ${code}, not 77: ${stderr}`);
    return code !== 77 || /gate (streams|catch-up):orders refuses/.test(stderr) ? [] : [stderr];
  });
}

/** 77 when the audit finds damage, with what to do; the damage is undone afterwards. */
async function refusedUnclean(ground: Ground, problems: string[]): Promise<void> {
  await ground.lab.sql(AWAY, "set regionctl.repair = on; insert into likes values ('damage', '{\"ap\": [7, 0]}')");
  await until(async () => {
    const {code, stdout} = await ground.run('failback', 'run', '--to', AWAY, '--yes', '--json');
    const {outcome, reason = ''} = JSON.parse(stdout) as Partial<RunDocument>;
    // A gate refuses until it has caught up.
    if (code === 77 && outcome === undefined) return [stdout];
    check(problems, 'exit code and outcome with damage', [code, outcome], [77, 'undone']);
    if (!/says diverged.*consistency explain/.test(reason ?? '')) problems.push(`the refusal because of damage says: ${reason}`);
    return [];
  });
  await ground.lab.sql(AWAY, "set regionctl.repair = on; delete from likes where post = 'damage'");
}

/** Runs to the end; killed at a step and gone on with where one is named. */
async function carried(ground: Ground, args: readonly string[], killAt?: string): Promise<RunDocument> {
  if (killAt === undefined) return documentOf(await ground.run(...args, '--yes', '--json'));
  await ground.killedAt(killAt, args);
  const [run] = await ground.lab.json<{runs: {runId: string; outcome: string}[]}>(0, ['runs', 'list']).then(({runs}) => runs);
  if (run?.outcome !== 'interrupted') throw new Error(`the run that was killed is ${run?.outcome}`);
  return documentOf(await ground.run('runs', 'resume', run.runId, '--json'));
}

function documentOf({stdout, stderr}: Ran): RunDocument {
  const document = JSON.parse(stdout) as Partial<RunDocument>;
  if (document.steps === undefined) throw new Error(`it was not run: ${stdout} ${stderr}`);
  return document as RunDocument;
}

/** Late transactions, as the readmission tells them. */
function lateOf({steps}: RunDocument): {counted: number | null; by: Readonly<Record<string, number>>} {
  const detail = steps.find(({id}) => id === 'count-late')?.detail ?? '';
  const counted = /(\d+) transactions that nobody else had/.exec(detail)?.[1];
  const by = [...detail.matchAll(/(\d+) came to ([a-z-]+)/g)].map(([, count, at]) => [at ?? '', Number(count)] as const);
  return {counted: counted === undefined ? null : Number(counted), by: Object.fromEntries(by)};
}

/** Every region holds the same, and that is what the tables' own rules make of the acknowledged writes. */
async function ended(ground: Ground, problems: string[], gapMs: number): Promise<void> {
  await ground.stop();
  await ground.equal();
  const {item, likes, members} = ground.expected();
  const found = await ground.found(AWAY);
  check(problems, 'the order that was written last', found.item, item);
  for (const [region, count] of Object.entries(likes)) {
    const has = found.likes[region] ?? 0;
    // A write that was cut off by the kill may be there.
    if (has < count || has > count + ground.cutOff) problems.push(`likes of ${region}: ${has}, acknowledged ${count}`);
  }
  check(problems, 'members that were added and are gone', missing(new Set(members), new Set(found.members)), 0);
  if (gapMs > GAP_MS) problems.push(`the others took no write for ${gapMs} ms`);
}

const missing = (of: ReadonlySet<string>, there: ReadonlySet<string>): number => [...of].filter((each) => !there.has(each)).length;

function check(problems: string[], what: string, found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) problems.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

/** Asks until nothing is in the way any more. */
async function until(obstacles: () => Promise<readonly string[]>): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    const left = await obstacles();
    if (left.length === 0) return;
    if (performance.now() > end) throw new Error(`after 30 s there is still in the way: ${left.join('; ')}`);
    await sleep(100);
  }
}
