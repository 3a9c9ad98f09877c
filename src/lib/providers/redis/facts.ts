import {isRegionctlError, messageOf, unavailable} from '../../errors.ts';
import {type Cell, known, unknown} from '../../snapshot/cell.ts';
import type {Position} from '../../snapshot/position.ts';
import type {Answer} from './client.ts';
import {addressText, type Ensemble, memberAt, type Node} from './ensemble.ts';
import {fieldsOf, type Info, infoOf} from './info.ts';
import {type Replication, replicationOf, type Settings, settingsOf} from './replication.ts';

/** One reading of a member. `at` is monotonic, in ms: when it was asked, so that what is counted from there is never too little. */
export type Facts = Replication & {
  readonly settings: Settings;
  /** It is reading its data in, its own or what a primary sent: until then it serves nobody. */
  readonly loading: Info['loading'];
  /** The append-only file could not be written, so a write would be refused. */
  readonly filesFail: boolean;
  readonly at: number;
};

/** Every member that was asked, by name. */
export type AllFacts = Readonly<Record<string, Cell<Facts>>>;

/** How long a member is waited for, in ms: login, question and answer. */
export const MEMBER_MS = 1500;

const QUESTIONS = [['INFO'], ['CONFIG', 'GET', 'repl-*'], ['CONFIG', 'GET', 'min-*']] as const;

/** All members (default) at the same time, each with its own deadline: one that hangs delays no other. Never rejects for the state of the world. */
export async function readAll(ensemble: Ensemble, signal: AbortSignal, members?: readonly string[]): Promise<AllFacts> {
  const asked = [...ensemble.nodes.values()].filter(({name}) => members === undefined || members.includes(name));
  return Object.fromEntries(await Promise.all(asked.map(async (node) => [node.name, await readCell(ensemble, node, signal)] as const)));
}

async function readCell(ensemble: Ensemble, node: Node, signal: AbortSignal): Promise<Cell<Facts>> {
  const {clock} = ensemble;
  const began = clock.now();
  try {
    const [info, ...config] = await node.client.ask(QUESTIONS, {timeoutMs: MEMBER_MS, signal});
    return known(factsOf(node, info, config, began), clock.wall(), 'info');
  } catch (error) {
    return unknown(isRegionctlError(error) ? error.code : 'error', messageOf(error), clock.wall());
  }
}

/** A user may be kept from CONFIG GET: what it would have said is not known then. */
function factsOf({name}: Node, answer: Answer | undefined, config: readonly Answer[], at: number): Facts {
  if (answer?.kind === 'refused') throw unavailable(answer.code, answer.says);
  if (answer?.kind !== 'text')
    throw unavailable('unexpected-answer', `${name} answered INFO with something that is no answer of Redis to it`);
  const info = infoOf(answer.text);
  if (info.isSentinel) throw unavailable('unexpected-answer', `${name} answers as a Sentinel, which holds no data`);
  const replication = replicationOf(fieldsOf(answer.text));
  if (replication === null) throw unavailable('unexpected-answer', `${name} does not say whether it is primary or standby`);
  const settings = settingsOf(config.flatMap((each) => (each.kind === 'list' ? each.texts : [])));
  const filesFail = info.failed.includes('aof_last_write_status');
  return {...replication, settings, loading: info.loading, filesFail, at};
}

/** The member that a standby follows or is set to follow; its address when no member has it; null when it follows nobody. */
export function upstreamOf(ensemble: Ensemble, node: Node, {upstream}: Replication): string | null {
  if (upstream === null) return null;
  return memberAt(ensemble, upstream.address, node)?.name ?? addressText(upstream.address);
}

/** Those that answer as a primary, the one that leads first: a promotion passes the former by; else who has standbys, and has written most. */
export function primariesOf(facts: AllFacts): readonly {readonly name: string; readonly facts: Facts}[] {
  const all = Object.entries(facts).flatMap(([name, cell]) =>
    cell.known && cell.value.role === 'primary' ? [{name, facts: cell.value}] : [],
  );
  const rank = ({facts: each}: (typeof all)[number]): readonly number[] => [
    all.some(({facts: other}) => other.former?.history === each.history) ? 0 : 1,
    each.listed.length,
    each.offset ?? 0,
  ];
  return all.toSorted((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at === -1 ? 0 : (right[at] ?? 0) - (left[at] ?? 0);
  });
}

/**
 * The place of a member. Redis begins a new history at each promotion and goes on counting, so a former primary's place could not be compared with its
 * successor's. Where both are seen at the same time they get one lineage, and the successor an epoch more: an offset on a history that was left says
 * nothing of the one that goes on.
 */
export function positionOf(facts: AllFacts, {history, offset}: Replication): Position {
  const seen = Object.values(facts).flatMap((cell) => (cell.known ? [cell.value] : []));
  const before = new Map(seen.flatMap((each) => (each.former === null ? [] : [[each.history, each.former.history] as const])));
  let lineage = history;
  let epoch = 0;
  for (;;) {
    const earlier = before.get(lineage);
    if (earlier === undefined || epoch >= before.size || !seen.some((each) => each.history === earlier)) break;
    lineage = earlier;
    epoch += 1;
  }
  return {lineage, epoch, offset: String(offset ?? 0)};
}

/** Whether what a standby holds is a part of the sender's log, so that their offsets can be compared. */
export function isPartOf({history, offset}: Replication, sender: Replication): boolean {
  if (history === sender.history) return true;
  return history === sender.former?.history && (offset ?? 0) < sender.former.until;
}
