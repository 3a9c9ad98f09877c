import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {z} from 'zod';
import {askLab} from '../../src/lab/control-client.ts';
import {readRecord} from '../../src/lab/record.ts';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import {drillSchema} from '../../src/lib/output/schemas/run.ts';
import type {LabSession} from './lab-session.ts';
import {witnessTruth} from './witness-truth.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HOME = 'us-east';
const AWAY = 'eu-west';

/** Where a drill of examples/drills leaves the primary, from `us-east`; `faults` by kind; `needs` = a fault that not every machine can have. */
export type Shipped = {readonly ends: string; readonly faults: readonly string[]; readonly needs?: string; readonly starts?: string};

/** Every drill of examples/drills, in an order in which those that end at home can share a lab. */
export const SHIPPED: Readonly<Record<string, Shipped>> = {
  'legal-shutdown': {ends: HOME, faults: []},
  'clock-skew': {ends: HOME, faults: ['skew'], needs: 'skew'},
  'router-lost': {ends: HOME, faults: ['router']},
  'all-parted': {ends: HOME, faults: ['partition', 'partition', 'partition']},
  'partition-asymmetric': {ends: HOME, faults: ['partition']},
  'region-degraded': {ends: HOME, faults: ['latency', 'errors', 'bandwidth']},
  'replication-lag': {ends: HOME, faults: ['bandwidth']},
  'two-regions': {ends: HOME, faults: ['lose', 'lose']},
  switchover: {ends: AWAY, faults: []},
  failback: {ends: HOME, faults: [], starts: AWAY},
  'database-lost': {ends: AWAY, faults: ['database']},
  'disk-full': {ends: AWAY, faults: ['disk-full'], needs: 'disk-full'},
  'operator-error': {ends: AWAY, faults: ['lose']},
  partition: {ends: AWAY, faults: ['partition']},
  'region-frozen': {ends: AWAY, faults: ['freeze']},
  'region-lost': {ends: AWAY, faults: ['lose']},
};

/** The names of the files there. */
export const shippedFiles = (): readonly string[] => readdirSync(join(ROOT, 'examples/drills')).map((name) => name.replace(/\.yaml$/, ''));

/** One drill as it went. `problems` is empty when all was as expected of it. */
export type DrillRan = {readonly drill: DrillDocument | null; readonly problems: readonly string[]; readonly ms: number};

/** Why a drill cannot be had on this machine; null = it can. */
export async function missingFor(lab: LabSession, name: string): Promise<string | null> {
  const record = readRecord(lab.dir);
  if (record === null) throw new Error('no lab');
  const {unavailable} = (await askLab(record, {method: 'GET', path: '/faults/kinds'})) as {unavailable: Record<string, string>};
  return unavailable[SHIPPED[name]?.needs ?? ''] ?? null;
}

/** Runs one by its name, and looks at what it says and at what it left. */
export async function runShipped(lab: LabSession, name: string): Promise<DrillRan> {
  const before = await placeOf(lab);
  const began = performance.now();
  const {code, stdout, stderr} = await lab.run(['drill', 'run', name, '--yes', '--json'], {timeoutMs: 110_000});
  const ms = performance.now() - began;
  const drill = parsed(stdout);
  if (drill === null) return {drill, problems: [`it ended with ${code} and no document: ${stdout}${stderr}`], ms};
  const problems = [
    ...saidProblems(name, code, drill),
    ...(await leftProblems(lab, name, before)),
    ...(await lossProblems(lab, name, drill)),
  ];
  return {drill, problems, ms};
}

/** The document is read as what it should be, and judged by the schema afterwards. */
function parsed(text: string): DrillDocument | null {
  try {
    const document = JSON.parse(text);
    return 'verdict' in document ? document : null;
  } catch {
    return null;
  }
}

function saidProblems(name: string, code: number | null, drill: DrillDocument): string[] {
  const {faults} = wantedOf(name);
  const wrong = validate(drill);
  const unproven = drill.faults.filter(({provenHealed}) => !provenHealed).map(({fault, region}) => `${fault} in ${region}`);
  const reason = drill.reason === null ? '' : `, ${drill.reason}`;
  return problemsOf([
    [code === 0, `it ended with ${code}`],
    [drill.verdict === 'passed' && drill.outcome === 'succeeded', `${drill.outcome}, ${drill.verdict}: ${drill.verdictReason}${reason}`],
    [wrong === null, `not by its schema: ${wrong}`],
    [
      same(
        drill.faults.map(({fault}) => fault),
        faults,
      ),
      `its faults were ${drill.faults.map(({fault}) => fault).join(', ') || 'none'}`,
    ],
    [unproven.length === 0, `not proven to be healed: ${unproven.join(', ')}`],
    [drill.measured.lostWrites === 0, `${drill.measured.lostWrites} writes lost`],
    [drill.measured.duplicatedWrites === 0, `${drill.measured.duplicatedWrites} writes there twice`],
    [drill.load === null || drill.load.before.requests >= 20, `only ${drill.load?.before.requests} requests before the fault`],
    [drill.measured.writeGapMs !== null, `its gap was not measured: ${drill.witness?.writeGapReason}`],
  ]);
}

async function leftProblems(lab: LabSession, name: string, before: Place): Promise<string[]> {
  const {ends, starts} = wantedOf(name);
  const [clean, {faults, regions}, after] = await Promise.all([lab.run(['drill', 'clean', '--json']), lab.status(), placeOf(lab)]);
  const found = clean.code === 0 ? JSON.parse(clean.stdout) : null;
  const unmoved = ends === HOME && starts === undefined;
  const stopped = regions.filter(({state}) => state !== 'running').map(({region}) => region);
  return problemsOf([
    [found?.verdict === 'none' && found.reapers === 0, `drill clean: ${clean.stdout}${clean.stderr}`],
    [faults?.length === 0 && stopped.length === 0, `left in the lab: ${JSON.stringify(faults)}, not running: ${stopped.join(', ')}`],
    [after.writes === ends, `writes are taken by ${after.writes}, not ${ends}`],
    [!unmoved || same(after.timelines, before.timelines), `timelines ${after.timelines.join()}, before it ${before.timelines.join()}`],
  ]);
}

async function lossProblems(lab: LabSession, name: string, drill: DrillDocument): Promise<string[]> {
  const {acknowledged, lost, duplicated} = await witnessTruth(lab, wantedOf(name).ends, drill.runId ?? '');
  return problemsOf([
    [acknowledged.length > 50, `only ${acknowledged.length} writes were acknowledged`],
    [
      acknowledged.length === drill.witness?.acknowledged,
      `${acknowledged.length} acknowledged by its log, ${drill.witness?.acknowledged} by itself`,
    ],
    [lost.length + duplicated.length === 0, `by SQL ${lost.length} are missing, ${duplicated.length} are there twice`],
  ]);
}

type Place = {readonly writes: string | null; readonly timelines: readonly string[]};

/** Where clients' writes end up, and the timeline of every region by its own control file. */
async function placeOf(lab: LabSession): Promise<Place> {
  const {frontDoor, regions} = await lab.status();
  const answer = await fetch(`${frontDoor}/orders`, {
    method: 'POST',
    headers: {'content-type': 'application/json', connection: 'close'},
    body: JSON.stringify({ref: `place-${process.hrtime.bigint()}`, item: 'tea', quantity: 1}),
    signal: AbortSignal.timeout(5000),
  });
  await answer.text();
  const query = 'select timeline_id::text as tli from pg_control_checkpoint()';
  const timelines = await Promise.all(regions.map(async ({region}) => (await lab.sql<{tli: string}>(region, query))[0]?.tli ?? '?'));
  return {writes: answer.status === 201 ? answer.headers.get('x-region') : null, timelines};
}

/** By the published schema where it was built, else by what it is built from. Null = valid. */
export function validate(document: DrillDocument): string | null {
  const published = join(ROOT, 'schemas/drill-run.schema.json');
  const schema = existsSync(published) ? z.fromJSONSchema(JSON.parse(readFileSync(published, 'utf8'))) : drillSchema;
  return schema.safeParse(document).error?.message ?? null;
}

function wantedOf(name: string): Shipped {
  const wanted = SHIPPED[name];
  if (wanted === undefined) throw new Error(`nothing is expected of a drill "${name}" yet: name it in shipped-drills.ts`);
  return wanted;
}

const problemsOf = (rows: readonly (readonly [holds: boolean, text: string])[]): string[] =>
  rows.flatMap(([holds, text]) => (holds ? [] : [text]));
const same = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();
