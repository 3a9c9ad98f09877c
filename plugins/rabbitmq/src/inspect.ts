import type {Abilities, Cell, Finding} from 'regionctl/kit';
import {asCell, type Broker} from './brokers.ts';
import {readShovels, type Shovels} from './carrier.ts';
import type {LinkContext} from './links.ts';
import {alarmSays, type NodeFacts, readFacts} from './node-facts.ts';

/** What `doctor` asks of each broker: its alarms, the links of the fleet file, and shovels that nobody watches. Reads only. */
export function createInspect(store: string, context: LinkContext, links: Abilities['links']): Abilities['inspect'] {
  return {
    inspect: async (signal, members) => {
      const brokers = [...context.brokers.values()].filter(({name}) => members === undefined || members.includes(name));
      const [own, ofLinks] = await Promise.all([
        Promise.all(brokers.map((broker) => brokerFindings(store, broker, context, signal))),
        members === undefined ? linkFindings(store, links, signal) : [],
      ]);
      return [...own.flat(), ...ofLinks];
    },
  };
}

async function brokerFindings(
  store: string,
  broker: Broker,
  {links, clock}: LinkContext,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const now = () => clock.wall();
  const {name, management} = broker;
  const [facts, shovels] = await Promise.all([
    asCell(name, now, () => readFacts(management, {signal})),
    asCell(name, now, () => readShovels(management, signal)),
  ]);
  const watched = links.filter(({on, shovel}) => on === name && shovel !== null);
  return [...factFindings(store, name, facts), ...unwatched(store, name, shovels, watched)];
}

/** A broker that does not answer is told of by whoever observes the members. */
function factFindings(store: string, member: string, cell: Cell<NodeFacts>): readonly Finding[] {
  if (!cell.known) return [];
  const {node, version, partitioned, down} = cell.value;
  const check = `store ${store}`;
  const alarm = alarmSays(cell.value);
  const found: Finding[] = [];
  if (alarm !== null)
    found.push({
      check,
      member,
      verdict: 'error',
      says: `${member} stops publishers: ${alarm}`,
      fix: 'free memory or disk of that node, or raise its limit',
    });
  if (partitioned.length > 0)
    found.push({
      check,
      member,
      verdict: 'error',
      says: `the cluster of ${member} is split: ${partitioned.join(' and ')} see others cut off`,
      fix: 'mend the network between its nodes, then restart those on the smaller side',
    });
  if (down.length > 0)
    found.push({check, member, verdict: 'warning', says: `${down.join(' and ')} of the cluster of ${member} is down`, fix: 'start it'});
  return found.length > 0
    ? found
    : [{check, member, verdict: 'pass', says: `${member}: ${node} runs RabbitMQ ${version} without an alarm`, fix: null}];
}

function unwatched(
  store: string,
  member: string,
  cell: Cell<Shovels>,
  watched: readonly {shovel: string | null; vhost: string}[],
): readonly Finding[] {
  if (!cell.known) return [];
  const strangers = cell.value.filter(({name, vhost = '/'}) => !watched.some((link) => link.shovel === name && link.vhost === vhost));
  return [...new Set(strangers.map(({name}) => name))].map((name) => ({
    check: `store ${store}`,
    member,
    verdict: 'warning',
    says: `${member} runs the shovel ${name}, which no link of the fleet file names: nobody watches its lag`,
    fix: `add it to stores.${store}.links`,
  }));
}

async function linkFindings(store: string, {links}: Abilities['links'], signal: AbortSignal): Promise<readonly Finding[]> {
  return (await links(signal)).map(({link, from, to, messages, trouble}): Finding => {
    const check = `store ${store}`;
    const name = `${link} ${from} → ${to}`;
    const carrier = messages?.carrier ?? name;
    const because = trouble === null ? '' : `: ${trouble}`;
    if (messages?.flow === 'running' && messages.depth !== null)
      return {check, verdict: 'pass', says: `${name}: ${carrier} runs`, fix: null};
    if (messages?.flow === 'down' || messages?.flow === 'starting')
      return {
        check,
        verdict: 'error',
        says: `${name}: ${carrier} does not run${because}`,
        fix: 'mend it on its broker, or take the link out of the fleet file',
      };
    return {check, verdict: 'unknown', says: `${name} could not be checked${because}`, fix: null};
  });
}
