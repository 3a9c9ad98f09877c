import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {LabSession} from './lab-session.ts';

/** One write as a witness logged it; `member` only where it went straight into a store. `endedAt` is epoch ms. */
export type WitnessLine = {readonly ref: string; readonly endedAt: number; readonly outcome: string; readonly member?: string};

/** A log of the witness against a table: in the order in which they were sent. */
export type WitnessTruth = {
  readonly acknowledged: readonly WitnessLine[];
  /** Acknowledged, and not there. */
  readonly lost: readonly WitnessLine[];
  /** There more than once. */
  readonly duplicated: readonly string[];
};

/** What the witness's own log of its writes through the front door says against what a region holds by SQL, past every proxy. */
export async function witnessTruth(lab: LabSession, region: string, runId: string): Promise<WitnessTruth> {
  const file = join(lab.dir, 'state/witness', `${runId}.witness.ndjson`);
  return judge(
    linesOf(file),
    await counts(lab, region, `select ref, count(*)::int as n from orders where starts_with(ref, $1) group by ref`, runId),
  );
}

function linesOf(file: string): readonly WitnessLine[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.includes('"ref"')).map((line) => JSON.parse(line) as WitnessLine);
}

function judge(lines: readonly WitnessLine[], there: ReadonlyMap<string, number>): WitnessTruth {
  const acknowledged = lines.filter(({outcome}) => outcome === 'acknowledged').toSorted(bySending);
  return {
    acknowledged,
    lost: acknowledged.filter(({ref}) => !there.has(ref)),
    duplicated: [...there].filter(([, n]) => n > 1).map(([ref]) => ref),
  };
}

/**
 * What a region shows of the table of a store's witness, asked again and again as long as it is there: the drill takes it away at its end. Answers, once
 * it is stopped, every reference that was seen while the region was no standby.
 */
export async function watchStoreTable(lab: LabSession, region: string): Promise<() => Promise<ReadonlySet<string>>> {
  const client = await lab.connect(region, {query_timeout: 10_000});
  const seen = new Set<string>();
  const over = new AbortController();
  const look = async () => {
    const {rows} = await client.query<{ref: string}>('select ref from public.regionctl_witness where not pg_is_in_recovery()');
    for (const {ref} of rows) seen.add(ref);
  };
  const watching = (async () => {
    for (; !over.signal.aborted; await sleep(100)) await look().catch(() => undefined);
    await client.end();
  })();
  return async () => {
    over.abort();
    await watching;
    return seen;
  };
}

/** The writes that `member` acknowledged, by the log of a store's witness, and that are not in what was seen of its table. */
export function lostInStore(
  lab: LabSession,
  of: {readonly runId: string; readonly store: string; readonly member: string},
  seen: ReadonlySet<string>,
) {
  const lines = linesOf(join(lab.dir, 'state/witness', `${of.runId}.${of.store}.store-witness.ndjson`));
  return lines.filter(({ref, outcome, member}) => member === of.member && outcome === 'acknowledged' && !seen.has(ref)).toSorted(bySending);
}

async function counts(lab: LabSession, region: string, query: string, runId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await lab.sql<{ref: string; n: number}>(region, query, [`${runId}-`]);
  return new Map(rows.map(({ref, n}) => [ref, n]));
}

const number = ({ref}: WitnessLine) => Number(ref.slice(ref.lastIndexOf('-') + 1));
const bySending = (a: WitnessLine, b: WitnessLine) => number(a) - number(b);
