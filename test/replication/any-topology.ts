import fc from 'fast-check';
import type {LinkForTopology, StoreForTopology} from '../../src/lib/replication/topology-model.ts';
import {link, placed, SILENT, sample, seen} from './topology-samples.ts';

const STATES = ['streaming', 'idle', 'catching-up', 'stalled', 'broken', 'unknown'] as const;
const ROLES = [seen('primary'), seen('standby'), seen('peer'), SILENT];
/** Also names that mean something to a terminal, to mermaid and to regular expressions. */
const NAMES = ['us-east', 'eu', 'end', 'a"]; x', '<b>&', '$&', 'ü→ß', 'subgraph', 'a', 'b', 'm0', 'x'.repeat(70), 'graph TD', '`code`'];

/** Any store of up to fourteen members, with any links between any of them and a stranger. */
export const anyStore: fc.Arbitrary<StoreForTopology> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom(...NAMES), {minLength: 1, maxLength: 14}),
    dense: fc.boolean(),
    seed: fc.infiniteStream(fc.nat(9999)),
  })
  .map(({names, dense, seed}) => {
    const pick = <T>(from: readonly T[]): T => from[(seed.next().value ?? 0) % from.length] as T;
    const one = (from: string, to: string): LinkForTopology => {
      const state = pick(STATES);
      return link(from, to, {
        state,
        ...(pick([true, false]) ? {link: pick(['news', 'a|b'])} : {}),
        kind: pick(['physical', 'logical', 'messages']),
      });
    };
    const links = dense
      ? names.flatMap((from) => names.filter((to) => to !== from).map((to) => one(from, to)))
      : Array.from({length: pick([0, 1, 2, 4, 8, 12])}, () => one(pick([...names, 'unknown']), pick(names)));
    const members = names.map((name) =>
      placed(name, {
        region: pick(['r1', 'r2', 'r"3', name]),
        site: pick([null, 's1', 's2']),
        jurisdiction: pick(['EU', 'US', 'SG']),
        tier: pick([0, 1, 2]),
      }),
    );
    return {
      ...sample({roles: {}, links}),
      members,
      seen: Object.fromEntries(names.filter(() => pick([1, 1, 1, 0]) === 1).map((name) => [name, pick(ROLES)])),
      classes: pick([[], [{name: 'user-content', allowed: ['EU']}]]),
      linksTrouble: pick([null, null, null, {code: 'timeout', reason: ''}]),
    };
  });
