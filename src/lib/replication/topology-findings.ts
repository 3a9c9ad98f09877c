import {linkFindings} from './topology-links.ts';
import type {JudgedStore, Severity, TopologyFinding} from './topology-model.ts';
import {copyFindings, jurisdictionFindings} from './topology-places.ts';
import {meshFindings, primaryFindings, ringFindings, singlePointFindings, splitFindings} from './topology-structure.ts';
import {listed, sentence} from './topology-words.ts';

const ORDER: readonly Severity[] = ['error', 'unknown', 'warning', 'note'];

/** Everything that is to be said of a store's links, the gravest first. */
export function findingsOf(store: JudgedStore): readonly TopologyFinding[] {
  const found = [
    ...unreadFindings(store),
    ...linkFindings(store),
    ...primaryFindings(store),
    ...splitFindings(store),
    ...ringFindings(store),
    ...copyFindings(store),
    ...singlePointFindings(store),
    ...jurisdictionFindings(store),
    ...depthFindings(store),
    ...meshFindings(store),
  ];
  return found.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function unreadFindings({linksTrouble, members, store}: JudgedStore): readonly TopologyFinding[] {
  if (linksTrouble === null || members.length < 2) return [];
  const {reason} = linksTrouble;
  return [
    {
      code: 'links-unread',
      severity: 'unknown',
      reason: `How ${store} replicates is not known: ${sentence(reason)}`,
      fix: 'Ask again; `regionctl doctor` looks for what is in the way.',
    },
  ];
}

/** Two links are a cascade that people mean; more of them seldom are. */
const DEEPEST = 2;

function depthFindings({members}: JudgedStore): readonly TopologyFinding[] {
  const deep = members.filter(({depth}) => depth !== null && depth > DEEPEST);
  const [deepest] = deep.toSorted((a, b) => (b.depth ?? 0) - (a.depth ?? 0));
  if (deepest === undefined) return [];
  const nearer = members.find(({depth, copy}) => depth === 1 && copy === true) ?? members.find(({depth}) => depth === 0);
  const far = deep.length === 1 ? `${deepest.member} is` : `${listed(deep.map(({member}) => member))} are up to`;
  return [
    {
      code: 'deep-cascade',
      severity: 'warning',
      reason: `${far} ${deepest.depth} links away from where changes begin: each link on the way adds its lag, and any that breaks cuts off all behind it.`,
      fix: `Let ${deep.length === 1 ? 'it' : 'them'} follow a member that is nearer${nearer === undefined ? '' : `, such as ${nearer.member}`}.`,
    },
  ];
}
