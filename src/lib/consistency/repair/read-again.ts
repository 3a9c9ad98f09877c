import {unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Json} from '../../plan/json.ts';
import type {TableAudit} from '../../ports/audit.ts';
import type {RowChange} from '../../ports/repair.ts';
import {confirm, newTally, toCandidate} from '../audit/confirm.ts';
import type {Candidate} from '../audit/find-keys.ts';
import type {AuditedMember, DivergentKey} from '../audit/model.ts';
import {createReaders, type Readers} from '../audit/readers.ts';
import {settle} from '../audit/settle.ts';
import type {RowLine} from './model.ts';
import {linesOf} from './rows-file.ts';
import type {RepairWorld} from './world.ts';

export type AgainJob = {readonly path: string; readonly members: readonly AuditedMember[]; readonly settleMs: number};

type Counts = {equal: number; changed: number; different: number; unknown: number};

/** Keys that are read at once. */
const PAGE = 500;

/**
 * Reads every key that was written to again, in all regions: how many are equal, how many are not because somebody has written them since, and how many
 * still differ. Throws when a region cannot be read.
 */
export async function readAgain(world: RepairWorld, ctx: Ctx, store: string, job: AgainJob): Promise<Json> {
  const counts: Counts = {equal: 0, changed: 0, different: 0, unknown: 0};
  for await (const {table, lines} of pagesOf(job.path)) await readPage(world, ctx, store, {...job, table, lines, counts});
  const {equal, changed, different, unknown} = counts;
  const regions = job.members.map(({region}) => region).join(', ');
  const says = [
    `${equal} ${equal === 1 ? 'key is' : 'keys are'} the same in ${regions}`,
    ...(changed === 0 ? [] : [`${changed} differ and were written by others since the plan was made`]),
    ...(different === 0 ? [] : [`${different} still differ`]),
    ...(unknown === 0 ? [] : [`${unknown} changed at every look`]),
  ].join('; ');
  return {...counts, says};
}

type Page = AgainJob & {readonly table: string; readonly lines: ReadonlyMap<string, readonly RowLine[]>; readonly counts: Counts};

async function readPage(world: RepairWorld, {signal}: Ctx, store: string, page: Page): Promise<void> {
  const {audit, links, repair} = world.stores[store]?.abilities ?? {};
  if (audit === undefined || repair === undefined) throw unavailable('no-ability', `${store} cannot be audited`);
  const {members, table: name, settleMs, counts} = page;
  const names = members.map(({member}) => member);
  await audit.tables(names, signal);
  const table = await audit.open(name, names, {sliceMs: 1000}, signal);
  const readers = createReaders(members, signal);
  const candidates = await differingKeys(table, readers, [...page.lines.keys()], signal);
  const settling = {audit, clock: world.clock, waitMs: settleMs, ...(links === undefined ? {} : {links: links.links})};
  const tally = newTally();
  const limit = Number.POSITIVE_INFINITY;
  await confirm(
    {table, readers, settle: () => settle(settling, members, signal), whole: [], judge: unjudged, limit, signal},
    candidates,
    tally,
  );
  const {divergent, unsettled, behind} = tally;
  const lost = readers.lost()[0];
  if (lost !== undefined) throw unavailable(lost.code, `${lost.region} could not be read: ${lost.reason}`);
  if (behind !== null) throw unavailable('not-caught-up', behind);
  counts.unknown += unsettled;
  counts.equal += page.lines.size - divergent.length - unsettled;
  for (const {key} of divergent) {
    const lines = page.lines.get(key) ?? [];
    const stands = await Promise.all(lines.map(async ({member, ...line}) => repair.stand(member, name, [changeOf(line)], signal)));
    if (stands.flat().includes('other')) counts.changed++;
    else counts.different++;
  }
}

const changeOf = ({key, from, to}: Pick<RowLine, 'key' | 'from' | 'to'>): RowChange => ({key, from, to});

/** What kind of divergence it is does not matter here. */
const unjudged = (key: string): DivergentKey => ({key, class: 'conflicting', regions: [], why: '', differs: [], suspects: []});

async function differingKeys(
  table: TableAudit,
  readers: Readers,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const read = await readers.each(async (member) => new Map((await table.hashes(member, keys, signal)).map((row) => [row.key, row])));
  const candidates = keys.map((key) =>
    toCandidate(
      key,
      read.map(({of, value}) => [of.region, value.get(key)] as const),
    ),
  );
  return candidates.filter(({hashes}) => new Set(Object.values(hashes)).size > 1);
}

/** The writes of a file by table and key, so many keys at once or more: those of one page stand together. */
async function* pagesOf(path: string): AsyncGenerator<{readonly table: string; readonly lines: ReadonlyMap<string, readonly RowLine[]>}> {
  let [table, page] = ['', -1];
  let lines = new Map<string, RowLine[]>();
  for await (const line of linesOf(path)) {
    if ('left' in line) continue;
    if (lines.size > 0 && (line.table !== table || (line.page !== page && lines.size >= PAGE))) {
      yield {table, lines};
      lines = new Map();
    }
    [table, page] = [line.table, line.page];
    lines.set(line.key, [...(lines.get(line.key) ?? []), line]);
  }
  if (lines.size > 0) yield {table, lines};
}
