import type {Cell} from '../../snapshot/cell.ts';
import {known, unknown} from '../../snapshot/cell.ts';
import type {AckRule, Member} from '../../snapshot/snapshot.ts';
import {type Cluster, nodeOf} from './cluster.ts';
import {type AllFacts, type Facts, primariesOf, readAll, toMember, upstreamOf} from './facts.ts';
import {hasLeft} from './history.ts';
import {parseSyncNames} from './sync-names.ts';

/**
 * One cell for every member asked for (default: all). Never throws for an unreachable one, and none waits for another; but where one hears an upstream that is
 * on a later timeline, all wait until that has said where the earlier one ended.
 */
export async function observe(
  cluster: Cluster,
  signal: AbortSignal,
  members?: readonly string[],
): Promise<Readonly<Record<string, Cell<Member>>>> {
  const facts = await readAll(cluster, signal, members);
  const diverged = await divergedOf(cluster, facts, signal);
  return Object.fromEntries(
    Object.entries(facts).map(([name, cell]) => [name, memberCell(cluster, name, cell, diverged.has(name) ? {diverged: true} : {})]),
  );
}

/**
 * Which standbys that hear their upstream hold what is not in its history. It is asked only where timelines differ, and once of each timeline; a history that
 * cannot be read tells nothing.
 */
async function divergedOf(cluster: Cluster, all: AllFacts, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const looks = Object.entries(all).map(async ([name, cell]) => {
    if (!cell.known || !cell.value.recovering || cell.value.replaying || cell.value.heardAt === null) return [];
    const upstream = upstreamOf(cluster, nodeOf(cluster, name), cell.value) ?? '';
    const there = all[upstream];
    return there?.known === true && (await hasLeft(cluster, cell.value, {name: upstream, facts: there.value}, signal)) ? [name] : [];
  });
  return new Set((await Promise.all(looks)).flat());
}

/** A standby that has not replayed all that it holds reads too low: a position like that must not decide anything. */
function memberCell(cluster: Cluster, name: string, cell: Cell<Facts>, more: Pick<Member, 'diverged'>): Cell<Member> {
  if (!cell.known) return cell;
  if (cell.value.replaying) return unknown('replaying', `${name} was restarted and has not yet replayed all that it holds.`, cell.at);
  return known({...toMember(cluster, nodeOf(cluster, name), cell.value), ...more}, cell.at, cell.via);
}

/** A peer acknowledges what it holds itself: the others are sent it afterwards. */
const NOBODY_WAITS: AckRule = {kind: 'async', need: 0, of: [], lowerable: true};

/** Who must hold a write before it is acknowledged, as the current primary has it set; unknown without exactly one primary to ask. */
export async function ackRule(cluster: Cluster, signal: AbortSignal): Promise<Cell<AckRule>> {
  if (cluster.peers) return known(NOBODY_WAITS, cluster.clock.wall(), 'fleet-file');
  const facts = await readAll(cluster, signal);
  const at = cluster.clock.wall();
  const [primary, second] = primariesOf(facts);
  if (primary === undefined)
    return unknown('no-primary', `No primary of ${cluster.store} could be asked who must acknowledge a write.`, at);
  if (second !== undefined && second.facts.timeline === primary.facts.timeline) {
    return unknown(
      'two-primaries',
      `${primary.name} and ${second.name} both say that they are primary on timeline ${primary.facts.timeline}.`,
      at,
    );
  }
  return readRule(cluster, primary.name, primary.facts, at);
}

function readRule(cluster: Cluster, name: string, facts: Facts, at: number): Cell<AckRule> {
  const rule = parseSyncNames(facts.syncNames);
  if (rule === null) {
    return unknown('bad-setting', `${name} has a synchronous_standby_names that cannot be read: ${JSON.stringify(facts.syncNames)}.`, at);
  }
  // With a weaker server-wide synchronous_commit the list of names is not waited for.
  const waits = rule.need > 0 && !['off', 'local'].includes(facts.syncCommit);
  if (!waits) return known({kind: 'async', need: 0, of: [], lowerable: true}, at, 'sql');
  return known({kind: 'quorum', need: rule.need, of: memberNames(cluster, name, rule.of), lowerable: true}, at, 'sql');
}

/** Names as the fleet file writes them: PostgreSQL compares them without regard to case. `*` stays as it is: it may be somebody whom nobody knows. */
export function memberNames(cluster: Cluster, primary: string, names: readonly string[]): readonly string[] {
  const others = [...cluster.nodes.keys()].filter((name) => name !== primary);
  return names.map((name) => others.find((other) => other.toLowerCase() === name.toLowerCase()) ?? name);
}
