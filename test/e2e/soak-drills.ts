// Runs every shipped drill many times on labs, and says whether it ends in the same way each time. Needs a build. One line for each run, and a table at
// the end; ends with 1 when any drill did not pass, or left something. Drills that a machine cannot have are named and left out.
//
//   node test/e2e/soak-drills.ts [--times 10] [NAME…]
import {parseArgs} from 'node:util';
import {LabSession} from './lab-session.ts';
import {type DrillRan, missingFor, runShipped, SHIPPED} from './shipped-drills.ts';

const {
  values: {times},
  positionals,
} = parseArgs({allowPositionals: true, options: {times: {type: 'string', default: '10'}}});
const rounds = Number(times);
const names = positionals.length === 0 ? Object.keys(SHIPPED) : positionals;
const unknown = names.filter((name) => SHIPPED[name] === undefined);
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1)
  throw new Error(unknown.length > 0 ? `no drill is called ${unknown.join(', ')}` : `--times is a number from 1 on, not ${times}`);

const say = (text: string) => process.stdout.write(`${text}\n`);
const runs = new Map<string, DrillRan[]>(names.map((name) => [name, []]));
/** The lab that is up, and which region its primary is in; null = one that went wrong was left, and the next drill needs a new one. */
const ground: {lab: LabSession | null; primary: string} = {lab: null, primary: ''};

try {
  for (let round = 1; round <= rounds; round++) for (const name of names) await one(name, round);
} finally {
  await drop();
}
process.exitCode = table() ? 0 : 1;

async function one(name: string, round: number): Promise<void> {
  const {starts = 'us-east', ends} = SHIPPED[name] ?? {ends: ''};
  // A drill that sets itself up may start from anywhere.
  if (ground.primary !== starts && SHIPPED[name]?.starts === undefined) await drop();
  const here = ground.lab ?? (await fresh());
  const missing = await missingFor(here, name);
  if (missing !== null) {
    say(`-    ${round}/${rounds} ${name}: ${missing}`);
    return;
  }
  const ran = await runShipped(here, name).catch((error: unknown): DrillRan => ({drill: null, problems: [String(error)], ms: 0}));
  runs.get(name)?.push(ran);
  const good = ran.problems.length === 0;
  const [gap, took] = [figure(ran.drill?.measured.writeGapMs), (ran.ms / 1000).toFixed(1)];
  say(`${good ? 'ok  ' : 'BAD '} ${round}/${rounds} ${name} ${took} s, gap ${gap} ms ${ran.problems.join(' | ')}`);
  ground.primary = ends;
  // What a failover leaves behind is not where another one begins.
  if (!good || (SHIPPED[name]?.faults.length !== 0 && ends !== 'us-east')) await drop();
}

async function fresh(): Promise<LabSession> {
  const lab = new LabSession();
  Object.assign(ground, {lab, primary: 'us-east'});
  await lab.up();
  return lab;
}

async function drop(): Promise<void> {
  await ground.lab?.remove();
  ground.lab = null;
}

/** Answers whether all of them went as expected. */
function table(): boolean {
  say(`\n${'drill'.padEnd(22)}passed   gap min/median/max, ms    seconds min/median/max`);
  for (const [name, all] of runs) {
    const passed = all.filter(({problems}) => problems.length === 0).length;
    const gaps = all.flatMap(({drill}) => drill?.measured.writeGapMs ?? []);
    const seconds = all.map(({ms}) => ms / 1000);
    say(`${name.padEnd(22)}${`${passed}/${all.length}`.padEnd(9)}${spread(gaps, 0).padEnd(28)}${spread(seconds, 1)}`);
  }
  const all = [...runs.values()].flat();
  const bad = all.filter(({problems}) => problems.length > 0).length;
  say(`${all.length - bad} of ${all.length} runs went as expected`);
  return bad === 0 && all.length > 0;
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(digits) ?? '-';
  return [at(0), at(0.5), at(1)].join(' / ');
}

function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? 'not known' : String(Math.round(value));
}
