import {readFileSync} from 'node:fs';
import {join} from 'node:path';
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

/** The instants between which most time passed without an acknowledgement. */
export function longestGap(acknowledged: readonly WitnessLine[]): {readonly from: number; readonly to: number} {
  const times = acknowledged.map(({endedAt}) => endedAt).toSorted((a, b) => a - b);
  return times.slice(1).reduce(
    (best, to, i) => {
      const from = times[i] ?? to;
      return to - from > best.to - best.from ? {from, to} : best;
    },
    {from: 0, to: 0},
  );
}

export function linesOf(file: string): readonly WitnessLine[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.includes('"ref"')).map((line) => JSON.parse(line) as WitnessLine);
}

export function judge(lines: readonly WitnessLine[], there: ReadonlyMap<string, number>): WitnessTruth {
  const number = ({ref}: WitnessLine) => Number(ref.slice(ref.lastIndexOf('-') + 1));
  const acknowledged = lines.filter(({outcome}) => outcome === 'acknowledged').toSorted((a, b) => number(a) - number(b));
  return {
    acknowledged,
    lost: acknowledged.filter(({ref}) => !there.has(ref)),
    duplicated: [...there].filter(([, n]) => n > 1).map(([ref]) => ref),
  };
}

async function counts(lab: LabSession, region: string, query: string, runId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await lab.sql<{ref: string; n: number}>(region, query, [`${runId}-`]);
  return new Map(rows.map(({ref, n}) => [ref, n]));
}
