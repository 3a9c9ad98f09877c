import type {Finding} from '../../ports/finding.ts';
import type {Abilities} from '../../ports/store.ts';
import {addressText, type Ensemble, memberAt, type Sentinels} from './ensemble.ts';
import {type AllFacts, primariesOf, readAll} from './facts.ts';
import type {Address} from './replication.ts';
import {readSentinels, type View, type Watcher} from './sentinel.ts';

/** Fewer than this cannot lose one and still outvote the rest. */
const ENOUGH = 3;

/** Whether Sentinel could move the primary now, and whether it watches the one that there is. Members and Sentinels are asked at the same time. */
export function createOverseers(ensemble: Ensemble, sentinels: Sentinels): Abilities['overseers'] {
  return {
    overseers: async (signal) => {
      const [watchers, facts] = await Promise.all([readSentinels(ensemble, sentinels, signal), readAll(ensemble, signal)]);
      return findingsOf(ensemble, sentinels, watchers, facts);
    },
  };
}

type Said = Omit<Finding, 'check'>;

/** One finding for each Sentinel, and one each for their vote, their number, and the primary that they name. */
export function findingsOf(ensemble: Ensemble, sentinels: Sentinels, watchers: readonly Watcher[], facts: AllFacts): readonly Finding[] {
  const views = watchers.flatMap(({name, cell}) => (cell.known ? [{name, view: cell.value}] : []));
  // One that does not know of another yet would call fewer a majority.
  const known = Math.max(watchers.length, ...views.map(({view}) => view.sentinels ?? 0));
  const said: readonly Said[] = [
    ...watchers.map((watcher) => ofOne(ensemble, sentinels, watcher)),
    voteOf(views, known),
    numberOf(known),
    primaryNamed(ensemble, sentinels, views, facts),
  ];
  return said.map((each) => ({check: `store ${ensemble.store}`, ...each}));
}

/** Codes that tell nothing of how the Sentinel is: it answered, and would not say. */
const MUTE = ['auth', 'privilege', 'interrupted', 'secret-missing', 'probe-failed'];

function ofOne(ensemble: Ensemble, {master}: Sentinels, {name, cell}: Watcher): Said {
  if (!cell.known) {
    const verdict = cell.code === 'no-such-master' ? 'error' : MUTE.includes(cell.code) ? 'unknown' : 'warning';
    const fix =
      verdict === 'error'
        ? `sentinel monitor ${master} … on it, or correct sentinels.master`
        : verdict === 'unknown'
          ? 'see sentinels.user and sentinels.password'
          : 'start it, or take it out of sentinels.members';
    return {verdict, says: `${name} does not count: ${cell.reason}`, fix};
  }
  const {flags, primary, replicas, isTilted} = cell.value;
  if (isTilted === true)
    return {
      verdict: 'warning',
      says: `${name} is in TILT mode: it distrusts its own clock or pauses, and moves nothing until that is over`,
      fix: 'look at the clock and the load of its machine',
    };
  const down = flags.filter((flag) => flag === 's_down' || flag === 'o_down');
  const where = primary === null ? 'the primary' : (memberAt(ensemble, primary, null)?.name ?? addressText(primary));
  if (down.length > 0) return {verdict: 'warning', says: `${name} finds ${where} down (${down.join(', ')})`, fix: null};
  const seen = replicas === null ? '' : `, and knows ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
  return {verdict: 'pass', says: `${name} watches ${where} as ${master}${seen}`, fix: null};
}

type Views = readonly {readonly name: string; readonly view: View}[];

const MEND = 'bring Sentinels back until their majority can be reached';

/** One that can reach the majority is enough: those beside it cannot act, and need not. */
function voteOf(views: Views, known: number): Said {
  const votes = views.flatMap(({name, view: {vote, sentinels, quorum}}) => (vote === null ? [] : [{name, vote, sentinels, quorum}]));
  const best = votes.toSorted((a, b) => Number(b.vote.holds) - Number(a.vote.holds) || (b.vote.usable ?? 0) - (a.vote.usable ?? 0))[0];
  if (best === undefined)
    return {verdict: 'unknown', says: `none of ${count(known, 'Sentinel')} tells whether it could move the primary`, fix: null};
  const {name, vote, sentinels, quorum} = best;
  const needs = `the quorum is ${quorum ?? 'not known'}, and a majority of ${sentinels ?? 'all'} must agree to a move`;
  const seen = `${vote.usable ?? 'an unknown number'} of ${count(known, 'Sentinel')} can be reached from ${name}`;
  if (!vote.holds) return {verdict: 'error', says: `nobody can move the primary: ${seen}; ${needs}`, fix: MEND};
  const cutOff = votes.filter((each) => !each.vote.holds).map((each) => each.name);
  if (cutOff.length > 0)
    return {
      verdict: 'warning',
      says: `${seen}, so the primary can be moved; ${cutOff.join(' and ')} cannot reach enough of them`,
      fix: MEND,
    };
  return {verdict: 'pass', says: `the primary can be moved: ${seen}; ${needs}`, fix: null};
}

function numberOf(known: number): Said {
  const fix = `run at least ${ENOUGH} Sentinels, each where it fails by itself`;
  if (known < ENOUGH)
    return {
      verdict: 'warning',
      says: `${count(known, 'Sentinel')} watch${known === 1 ? 'es' : ''} the store: when one is lost, nobody can move the primary`,
      fix,
    };
  return {verdict: 'pass', says: `${known} Sentinels watch the store`, fix: null};
}

function primaryNamed(ensemble: Ensemble, {master}: Sentinels, views: Views, facts: AllFacts): Said {
  const named = views.flatMap(({name, view: {primary}}) => (primary === null ? [] : [{name, primary}]));
  const [first] = named;
  if (first === undefined) return {verdict: 'unknown', says: `no Sentinel says where the primary of ${master} is`, fix: null};
  const text = ({primary}: {readonly primary: Address}) => memberAt(ensemble, primary, null)?.name ?? addressText(primary);
  const places = Map.groupBy(named, text);
  if (places.size > 1) {
    const each = [...places].map(([place, by]) => `${by.map(({name}) => name).join(' and ')} says ${place}`);
    return {
      verdict: 'error',
      says: `the Sentinels do not agree who is the primary: ${each.join('; ')}`,
      fix: 'unless a failover is under way: sentinel remove, then sentinel monitor, on those that are wrong',
    };
  }
  return agreesWith(ensemble, first.primary, facts);
}

/** What they all say, against what the members answer. */
function agreesWith(ensemble: Ensemble, address: Address, facts: AllFacts): Said {
  const member = memberAt(ensemble, address, null);
  if (member === null)
    return {
      verdict: 'error',
      says: `the Sentinels say that ${addressText(address)} is the primary, which is the address of no member`,
      fix: 'add it to members, or correct the address of a member',
    };
  const cell = facts[member.name];
  if (cell?.known !== true)
    return {
      verdict: 'unknown',
      says: `the Sentinels say that ${member.name} is the primary, which could not be asked: ${cell?.reason ?? 'it was not read'}`,
      fix: null,
    };
  if (cell.value.role === 'primary')
    return {verdict: 'pass', says: `the Sentinels and ${member.name} agree that it is the primary`, fix: null};
  const [other] = primariesOf(facts);
  const instead = other === undefined ? 'no member answers as primary' : `${other.name} answers as primary`;
  return {
    verdict: 'error',
    says: `the Sentinels say that ${member.name} is the primary, which answers as a replica; ${instead}`,
    fix: 'unless a failover is under way: sentinel remove, then sentinel monitor, on each of them',
  };
}

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`;
