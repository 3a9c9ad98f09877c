import {withApprovals} from '../../failover/approvals.ts';
import {call, expect, inOrder, step, verify} from '../../failover/steps.ts';
import type {Fleet} from '../../fleet/fleet.ts';
import type {Gate, Override, Plan, Step} from '../../plan/plan.ts';
import type {Snapshot} from '../../snapshot/snapshot.ts';
import type {AuditedMember} from '../audit/model.ts';
import type {Batch} from './model.ts';

/** What a repair is made of. `file`: the rows file beside the plan. `settleMs`: how long replication may take. */
export type RepairParts = {
  readonly id: string;
  readonly fleet: Pick<Fleet, 'approval'>;
  readonly snapshot: Snapshot;
  readonly store: string;
  readonly members: readonly AuditedMember[];
  readonly batches: readonly Batch[];
  readonly file: {readonly name: string; readonly sha256: string};
  readonly audit: {readonly id: string; readonly startedAt: string};
  readonly maxAgeMs: number;
  readonly settleMs: number;
  readonly overrides: readonly Override[];
  readonly remarks: readonly string[];
};

/** One batch is one transaction of a few hundred rows. */
const WRITE_MS = 120_000;
/** What is added to the time that replication may take, for reading. */
const READ_MS = 30 * 60_000;
const AUDIT_MS = 24 * 3_600_000;

/**
 * The plan of a repair: rows are written batch by batch, read again in all regions, and the tables are audited once more. No step is a point of no
 * return: every one of them can be undone, also when all is over. What was made on the members for writing is removed in any case. Pure.
 */
export function planRepair(parts: RepairParts): Plan {
  const {id, fleet, snapshot, overrides, remarks, batches, file} = parts;
  const steps = batches.length === 0 ? [] : [...writes(parts), ...verification(parts)];
  return {
    ...{version: 1, id, kind: 'repair', from: null, to: null, snapshot, expects: [], standsOn: []},
    gates: batches.length === 0 ? [] : gates(parts),
    overrides,
    steps: withApprovals(inOrder(steps), fleet.approval),
    abortIf: [],
    always: writtenMembers(batches).map((member) => dropOrigin(parts, member)),
    files: [{name: file.name, sha256: file.sha256}],
    ...{objectives: [], expected: {gapMs: null, loss: []}, remarks, drill: null},
  };
}

/** The members that are written to, in the order of the store. */
function writtenMembers(batches: readonly Batch[]): readonly {readonly member: string; readonly region: string}[] {
  return [...new Map(batches.map(({member, region}) => [member, {member, region}])).values()];
}

function writes({store, batches, file}: RepairParts): readonly Step[] {
  return batches.map(({table, region, member, slice}, index): Step => {
    const target = {store, member, region};
    const args = {table, file: file.sha256, ...slice};
    return step({
      id: `write-${index + 1}`,
      phase: 'converge',
      title: `write ${slice.lines} ${slice.lines === 1 ? 'row' : 'rows'} of ${table} in ${region}`,
      do: call('consistency.write-rows', target, args),
      requires: [expect('consistency.takes-writes', target, true)],
      ensures: [verify('consistency.rows-written', target, args)],
      undo: call('consistency.restore-rows', target, args),
      deadlineMs: WRITE_MS,
      onFailure: 'stop',
    });
  });
}

function verification({store, batches, members, file, settleMs}: RepairParts): readonly Step[] {
  const tables = [...new Set(batches.map(({table}) => table))];
  const args = {file: file.sha256, members, settleMs};
  const rows = batches.reduce((sum, {slice}) => sum + slice.lines, 0);
  return [
    step({
      id: 'read-again',
      phase: 'verify',
      title: `read what was written again in ${members.map(({region}) => region).join(', ')}: ${rows} ${rows === 1 ? 'row' : 'rows'}`,
      do: call('consistency.read-again', {store}, args),
      deadlineMs: settleMs + READ_MS,
      onFailure: 'stop',
    }),
    step({
      id: 'audit',
      phase: 'verify',
      title: `audit ${tables.join(', ')} in all regions`,
      do: call('consistency.audit', {store}, {...args, tables}),
      deadlineMs: AUDIT_MS,
      onFailure: 'stop',
    }),
  ];
}

function dropOrigin({store}: RepairParts, {member, region}: {readonly member: string; readonly region: string}): Step {
  const target = {store, member, region};
  return step({
    id: `drop-origin-${member}`,
    phase: 'heal',
    title: `remove the replication origin of the repair from ${member}`,
    do: call('consistency.drop-origin', target),
    ensures: [expect('consistency.origin-dropped', target, true)],
    onFailure: 'stop',
  });
}

function gates({store, members, batches, audit, maxAgeMs}: RepairParts): readonly Gate[] {
  const written = writtenMembers(batches);
  const all = members.map(({member, region}) => ({member, region}));
  const gate = (id: string, ask: Gate['asks'][number], overridable: boolean): Gate => {
    return {id, asks: [ask], verdict: 'unknown', measured: null, says: 'not asked yet', overridable};
  };
  return [
    ...written.flatMap(({member, region}) => [
      gate(`writable:${member}`, expect('consistency.takes-writes', {store, member, region}, true), false),
      gate(`alone:${member}`, expect('consistency.repairs-alone', {store, member, region}, true), false),
    ]),
    gate('not-relayed', expect('consistency.not-relayed', {store}, {members: all}), true),
    gate('caught-up', expect('consistency.caught-up', {store}, {members: all, waitMs: 5000}), false),
    gate('audit-age', expect('consistency.audit-age', {store}, {audit: audit.id, startedAt: audit.startedAt, maxAgeMs}), true),
  ];
}
