import {writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import type {DrillDocument} from '../../src/lib/drill/report.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {eventually} from '../servers/embedded.ts';
import {expectEqualRegions, expectNoFaultLeft} from './expect-regions.ts';
import type {Findings} from './independent-client.ts';
import {LabSession} from './lab-session.ts';
import {validate} from './shipped-drills.ts';
import {lostInStore, watchStoreTable, witnessTruth} from './witness-truth.ts';

const ROOT = resolve(import.meta.dirname, '../..');

let lab: LabSession;
afterEach(() => lab.remove());

const EVERY_MS = 20;

describe('a drill agrees with an independent client', () => {
  it('when a region is lost under a quorum: the gap, and no loss', async () => {
    lab = new LabSession();
    await lab.up();
    const client = await lab.client('independent');
    const drill = await lab.json<DrillDocument>(0, ['drill', 'run', join(ROOT, 'examples/drills/region-lost.yaml'), '--yes']);
    const seen = await client.stop(await lab.truthOf(drill.to ?? ''));

    expect(drill).toMatchObject({outcome: 'succeeded', verdict: 'passed', measured: {lostWrites: 0, duplicatedWrites: 0}});
    expect(seen).toMatchObject({lost: [], duplicated: []});
    expect(seen.acknowledged).toBeGreaterThan(200);
    expectSameGap(drill, seen);
    expect(validate(drill)).toBeNull();
    expect(drill.stores).toMatchObject([{store: 'orders', all: {lost: [], duplicated: []}, twoWriters: null, trouble: null}]);
    expect(drill.faults).toMatchObject([{fault: 'lose', region: 'us-east', provenHealed: true}]);
    await expectNoFaultLeft(lab);

    const failback = await lab.json<RunDocument>(0, ['failback', 'run', '--yes']);
    expect(failback).toMatchObject({outcome: 'succeeded', measured: {lostWrites: 0}});
    await expectEqualRegions(lab);
  });

  it('when writes are lost, behind a narrow line without a quorum: which ones, and since when', async () => {
    lab = new LabSession();
    await lab.up('--async');
    const client = await lab.client('independent');
    const running = lab.json<DrillDocument>(0, ['drill', 'run', drillFile(), '--yes']);
    running.catch(() => undefined);
    // The standbys fall behind by their lines from the primary; the region itself has no fault. Only once the witness writes, so that what they
    // hold at the kill ends after it began.
    const written = () => lab.sql<{n: number}>('us-east', `select count(*)::int as n from orders where ref like 'drill-%'`);
    await eventually(async () => ((await written())[0]?.n ?? 0) > 10, 30_000);
    for (const region of ['eu-west', 'ap']) await lab.lab('fault', 'bandwidth', region, '--from', 'us-east', '--bytes-per-second', '4000');
    const stopWatching = await watchStoreTable(lab, 'eu-west');
    const drill = await running;
    const inStore = await stopWatching();
    const seen = await client.stop(await lab.truthOf('eu-west'));
    const witness = await witnessTruth(lab, 'eu-west', drill.runId ?? '');

    expect(drill).toMatchObject({outcome: 'succeeded', verdict: 'passed', to: 'eu-west'});
    expect(validate(drill)).toBeNull();
    expect(witness.lost.length).toBeGreaterThan(10);
    expect(drill.measured.lostWrites).toBe(witness.lost.length);
    expect(drill.stores).toMatchObject([{store: 'orders', all: {duplicated: []}, twoWriters: null, trouble: null}]);
    const lostThere = lostInStore(lab, {runId: drill.runId ?? '', store: 'orders', member: 'us-east'}, inStore);
    expect(lostThere.length).toBeGreaterThan(10);
    expect(drill.stores[0]?.all.lostWrites).toBe(lostThere.length);
    expect(drill.stores[0]?.all.lost).toEqual(lostThere.slice(0, 100).map(({ref}) => ref));
    expect(drill.witness?.lost).toEqual(witness.lost.slice(0, 100).map(({ref}) => ref));
    expect(drill.measured.duplicatedWrites).toBe(0);

    expect(seen.lost.length).toBeGreaterThan(20);
    expect(seen.duplicated).toEqual([]);
    const [ours, theirs] = [firstAck(witness.lost.map(({endedAt}) => endedAt)), firstAck(seen.lost.map(({ackedAt}) => ackedAt))];
    expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(50);
    // Both clients lose what was acknowledged from then on until the kill, at 50 and at 100 writes per second.
    expect(seen.lost.length / witness.lost.length).toBeGreaterThan(1.6);
    expect(seen.lost.length / witness.lost.length).toBeLessThan(2.4);
    const rpo = drill.objectives.find(({kind}) => kind === 'rpo');
    expect(rpo).toMatchObject({targetMs: 300_000, met: true});
    expect(Math.abs((rpo?.measuredMs ?? 0) - (seen.gapFrom - theirs))).toBeLessThanOrEqual(50);
    expectSameGap(drill, seen);

    for (const region of ['eu-west', 'ap']) await lab.lab('heal', region);
    await expectNoFaultLeft(lab);
    expect(await lab.json<RunDocument>(0, ['failback', 'run', '--yes'])).toMatchObject({outcome: 'succeeded'});
    await expectEqualRegions(lab);
  });
});

describe('a drill in which somebody else fails over', () => {
  it('fails when the program that reacts leaves the old primary open, which comes back with the heal', async () => {
    lab = new LabSession();
    await lab.up();
    const drill = await lab.json<DrillDocument>(2, ['drill', 'run', byProgram(), '--yes']);

    expect(drill).toMatchObject({outcome: 'succeeded', verdict: 'failed', verdictCode: 'wrong-primary'});
    expect(drill.verdictReason).toMatch(
      /^orders has two primaries: eu-west takes writes .+, and us-east takes writes .+regionctl failback run/,
    );
    expect(drill.faults).toMatchObject([{fault: 'kill', provenHealed: true}]);
    // It is noticed while the last acknowledged write is less than a second old; that is no reaction.
    expect(drill.steps.find(({id}) => id === 'reaction')).toMatchObject({status: 'done'});
    expect(validate(drill)).toBeNull();
  });
});

/** Somebody's own way to fail over: it promotes, moves traffic, and neither fences nor takes the other standby along. */
function byProgram(): string {
  const file = join(lab.parent, 'by-program.yaml');
  const run = JSON.stringify([process.execPath, join(import.meta.dirname, 'promote-only.ts'), lab.dir, 'eu-west']);
  writeFileSync(
    file,
    `name: by-program
scenario: database-lost
fault: {kind: kill, region: primary, lease: 2m}
reaction: {exec: {run: ${run}, within: 20s}}
witness: {warmUp: 500ms, coolDown: 500ms}
steadyState: {within: 2s}
`,
  );
  return file;
}

/**
 * The witness writes every 20 ms, the client every 10, so that each may see an end of the gap that much late; the rest is for two cores that also run
 * the lab. Both ends are held to it too: two errors must not make up for each other.
 */
function expectSameGap({measured: {writeGapMs}, witness}: DrillDocument, {longestGapMs, gapFrom, gapTo}: Findings): void {
  const apart = [Date.parse(witness?.gapFrom ?? '') - gapFrom, Date.parse(witness?.gapTo ?? '') - gapTo].map(Math.round);
  const text = `write gap: ${writeGapMs} ms by the witness, ${Math.round(longestGapMs)} ms by the client; the witness's begins ${apart[0]} ms and ends ${apart[1]} ms later; it stood still for ${witness?.longestStallMs ?? 0} ms at the longest`;
  process.stderr.write(`    ${text}\n`);
  expect(writeGapMs).not.toBeNull();
  // What the report says of its own standstills nobody has to guess.
  const mostMs = 50 + (witness?.longestStallMs ?? 0);
  for (const difference of apart) expect(Math.abs(difference), text).toBeLessThanOrEqual(mostMs);
  // The last write of each may be another one that hung: the two ends of a gap add up, by one write of the witness at most.
  expect(Math.abs((writeGapMs ?? 0) - longestGapMs), text).toBeLessThanOrEqual(mostMs + EVERY_MS);
}

function drillFile(): string {
  const file = join(lab.parent, 'narrow-line.yaml');
  writeFileSync(
    file,
    `name: narrow-line
scenario: region-lost
fault: {kind: kill, region: primary, lease: 2m}
witness: {every: 20ms, warmUp: 8s, coolDown: 500ms}
`,
  );
  return file;
}

const firstAck = (times: readonly number[]) => Math.min(...times);
