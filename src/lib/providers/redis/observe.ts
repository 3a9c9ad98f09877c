import {type Cell, known, unknown} from '../../snapshot/cell.ts';
import type {AckRule, Member} from '../../snapshot/snapshot.ts';
import type {Ensemble, Node} from './ensemble.ts';
import {type AllFacts, type Facts, positionOf, readAll, upstreamOf} from './facts.ts';
import {loadingSays} from './says.ts';

/** One cell for every member asked for (default: all). Never throws for an unreachable one, and none waits for another. */
export async function observe(
  ensemble: Ensemble,
  signal: AbortSignal,
  members?: readonly string[],
): Promise<Readonly<Record<string, Cell<Member>>>> {
  // Where a member stands is told by the others as well: all are read, whoever was asked for.
  const facts = await readAll(ensemble, signal);
  const wanted = [...ensemble.nodes.values()].filter(({name}) => members === undefined || members.includes(name));
  return Object.fromEntries(wanted.map((node) => [node.name, memberCell(ensemble, node, facts)]));
}

function memberCell(ensemble: Ensemble, node: Node, facts: AllFacts): Cell<Member> {
  const cell = facts[node.name];
  if (cell === undefined) return unknown('not-read', `${node.name} was not read`, ensemble.clock.wall());
  if (!cell.known) return cell;
  const {loading} = cell.value;
  if (loading !== null) return unknown('starting', `${node.name} ${loadingSays(loading)}`, cell.at);
  return known(memberOf(ensemble, node, facts, cell.value), cell.at, cell.via);
}

function memberOf(ensemble: Ensemble, node: Node, facts: AllFacts, own: Facts): Member {
  const position = positionOf(facts, own);
  const heard = own.upstream?.heardSeconds ?? null;
  return {
    region: node.region,
    role: own.role,
    writable: isWritable(own),
    // What a replica has received and not executed is thrown away when it is promoted.
    durable: position,
    applied: position,
    upstream: upstreamOf(ensemble, node, own),
    heardUpstreamAgoMs: heard === null ? null : heard * 1000,
  };
}

/** As far as the member tells: whether memory is full, or a snapshot failed, only a write would. */
export function isWritable({readOnly, goodReplicas, settings: {minReplicas}, filesFail}: Facts): boolean {
  const lacksReplicas = goodReplicas !== null && minReplicas !== null && goodReplicas < minReplicas;
  return !readOnly && !lacksReplicas && !filesFail;
}

/**
 * Redis acknowledges a write before any replica has it, however it is set: min-replicas-to-write refuses writes when too few replicas were heard of
 * lately, and waits for none.
 */
export const ackRule = (ensemble: Ensemble): Cell<AckRule> =>
  known({kind: 'async', need: 0, of: [], lowerable: false}, ensemble.clock.wall(), 'engine');
