import type {Abilities, LinkReading} from 'regionctl/kit';

/**
 * What is lost to a member when all others are gone: the messages that its links have not brought to it. Only an estimate, as publishers go on; and what
 * no link brings is not in it.
 */
export function createLoss(store: string, links: Abilities['links']): Abilities['loss'] {
  return {
    loss: async (to, signal) => {
      const read = (await links.links(signal)).filter((link) => link.to === to);
      return {store, bytes: null, ...judge(to, read)};
    },
  };
}

type Judged = {
  readonly transactions: number | null;
  readonly seconds: number | null;
  readonly certainty: 'estimate' | 'unknown';
  readonly basis: string;
};

function judge(to: string, read: readonly LinkReading[]): Judged {
  if (read.length === 0) return nothing(`No link of the fleet file brings messages to ${to}.`);
  const blind = read.find(({messages}) => messages === undefined || messages.depth === null);
  if (blind !== undefined)
    return nothing(`How many messages of ${blind.link} wait for ${to} is not known${blind.trouble === null ? '' : `: ${blind.trouble}`}.`);
  const depths = read.map(({link, from, messages}) => ({
    link,
    from,
    depth: messages?.depth ?? 0,
    seconds: messages?.oldestAgeSeconds ?? null,
  }));
  const seconds = depths.some((each) => each.seconds === null) ? null : Math.max(...depths.map((each) => each.seconds ?? 0));
  const transactions = depths.reduce((sum, {depth}) => sum + depth, 0);
  const basis = `Messages that wait for ${to}: ${depths.map(({link, from, depth}) => `${depth} of ${link} on ${from}`).join(', ')}; publishers may go on.`;
  return {transactions, seconds, certainty: 'estimate', basis};
}

const nothing = (basis: string): Judged => ({transactions: null, seconds: null, certainty: 'unknown', basis});
