// Runs shipped drills beside an independent client, and says how far apart the two are: in the length of the gap, in its beginning and end, and in the
// writes that are gone. Needs a build. A lab of its own for each; one line for each run; ends with 1 when any two are further apart than 50 ms.
//
//   node test/e2e/soak-agreement.ts [--times 1] [--async] [NAME…]
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import {LabSession} from './lab-session.ts';
import {missingFor, SHIPPED} from './shipped-drills.ts';
import {witnessTruth} from './witness-truth.ts';

/** How far the two may be apart, in ms. */
const APART_MS = 50;
/** Shorter gaps are those of a busy machine, and each has another one that is its longest. */
const SHORTEST_MS = 200;

const {values, positionals} = parseArgs({
  allowPositionals: true,
  options: {times: {type: 'string', default: '1'}, async: {type: 'boolean', default: false}},
});
const names = positionals.length === 0 ? Object.keys(SHIPPED) : positionals;
const unknown = names.filter((name) => SHIPPED[name] === undefined);
if (unknown.length > 0) throw new Error(`no drill is called ${unknown.join(', ')}`);

const say = (text: string) => process.stdout.write(`${text}\n`);
for (let round = 1; round <= Number(values.times); round++) {
  for (const name of names) {
    const good = await agrees(name).catch((error: unknown) => {
      say(`BAD  ${name}: ${String(error)}`);
      return false;
    });
    if (!good) process.exitCode = 1;
  }
}

async function agrees(name: string): Promise<boolean> {
  const lab = new LabSession();
  try {
    await lab.up(...(values.async ? ['--async'] : []));
    const missing = await missingFor(lab, name);
    if (missing !== null) {
      say(`-    ${name}: ${missing}`);
      return true;
    }
    const client = await lab.client('independent');
    const {code, stdout, stderr} = await lab.run(['drill', 'run', name, '--yes', '--json'], {timeoutMs: 120_000});
    const there = SHIPPED[name]?.ends ?? '';
    const {lost, acknowledged} = await client.stop(await lab.truthOf(there));
    const drill = JSON.parse(stdout) as DrillDocument;
    if (!('verdict' in drill)) throw new Error(`${stdout}${stderr}`);
    const gap = longestGap(client.logFile, windowOf(lab, drill.runId ?? ''));
    const ofLog = (await witnessTruth(lab, there, drill.runId ?? '')).lost.length;
    return compared(name, drill, {code, gap, lost: {log: ofLog, client: lost.length, acknowledged}});
  } finally {
    await lab.remove();
  }
}

type Span = {readonly from: number; readonly to: number};

/** When the witness ran: what came before, such as a drill's set-up, it did not see. */
function windowOf(lab: LabSession, runId: string): Span {
  const marks = readFileSync(join(lab.dir, 'state/witness', `${runId}.witness.ndjson`), 'utf8').matchAll(
    /"mark":"(?:open|close)","at":([\d.]+)/g,
  );
  const times = [...marks].map(([, at]) => Number(at));
  return {from: Math.min(...times), to: Math.max(...times)};
}

/** The longest time between two acknowledgements of the client. */
function longestGap(logFile: string, window: Span): Span {
  const lines = readFileSync(logFile, 'utf8').split('\n');
  const writes = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as {endedAt: number; status: number | string});
  const acks = writes
    .filter(({status, endedAt}) => status === 201 && endedAt >= window.from && endedAt <= window.to)
    .map(({endedAt}) => endedAt);
  const sorted = acks.toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((to, i): Span => ({from: sorted[i] ?? to, to}));
  return gaps.reduce((longest, gap) => (gap.to - gap.from > longest.to - longest.from ? gap : longest), {from: 0, to: 0});
}

type Seen = {
  readonly code: number | null;
  readonly gap: Span;
  readonly lost: {readonly log: number; readonly client: number; readonly acknowledged: number};
};

function compared(name: string, {measured, witness, verdict}: DrillDocument, {code, gap, lost}: Seen): boolean {
  const [gapMs, theirs] = [measured.writeGapMs ?? Number.NaN, gap.to - gap.from];
  const apart = [gapMs - theirs, Date.parse(witness?.gapFrom ?? '') - gap.from, Date.parse(witness?.gapTo ?? '') - gap.to];
  const counted = Math.max(gapMs, theirs) < SHORTEST_MS ? apart.slice(0, 1) : apart;
  const good = counted.every((ms) => Math.abs(ms) <= APART_MS) && measured.lostWrites === lost.log;
  const [length, begin, end] = apart.map((ms) => Math.round(ms));
  const ends = counted.length === 1 ? 'too short for ends' : `begin ${begin}, end ${end}`;
  say(
    `${good ? 'ok  ' : 'BAD '} ${name.padEnd(22)} ${verdict} ${code}  gap ${Math.round(gapMs)} ms, client ${Math.round(theirs)} ms: apart ${length} (${ends})` +
      `  lost ${measured.lostWrites}, by log and SQL ${lost.log}, client ${lost.client} of ${lost.acknowledged}`,
  );
  return good;
}
