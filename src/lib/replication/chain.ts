import type {LinkReading} from '../ports/store.ts';

type Ends = Pick<LinkReading, 'from' | 'to'>;

/** How a member gets the log: the links from the first of the chain to its own, which is the last. `isCircle` = there is no first. */
export type Chain<T extends Ends> = {readonly links: readonly T[]; readonly isCircle: boolean};

/** The chain whose last link is `link`. */
export function chainOf<T extends Ends>(link: T, all: readonly T[]): Chain<T> {
  const links = [link];
  for (let first = link; ; ) {
    const up = all.find(({to}) => to === first.from);
    if (up === undefined) return {links, isCircle: false};
    if (links.includes(up)) return {links, isCircle: true};
    links.unshift(up);
    first = up;
  }
}

/** Whether it carries a log that others hand on. A member may have several subscriptions, and none makes it a copy; messages go their own ways. */
export const isHandedOn = ({kind, messages}: Pick<LinkReading, 'kind' | 'messages'>): boolean =>
  kind !== 'logical' && kind !== 'messages' && messages === undefined;

/** The chain by which a member gets the log over this link; null = it is of a kind that is not handed on, or comes from the first of its chain itself. */
export function handedOn(link: LinkReading, all: readonly LinkReading[]): Chain<LinkReading> | null {
  if (!isHandedOn(link)) return null;
  const chain = chainOf(link, all.filter(isHandedOn));
  return chain.links.length > 1 || chain.isCircle ? chain : null;
}

/**
 * The link as if it began at the first of its chain: how far its receiver is behind that, in bytes, transactions and time. One that does begin there is
 * itself. null = it cannot be told: the first could not be read, is on another timeline, or there is none.
 */
export function fromFirst(link: LinkReading, all: readonly LinkReading[]): LinkReading | null {
  const chain = handedOn(link, all);
  if (chain === null) return link;
  const [first] = chain.links;
  if (first === undefined || chain.isCircle) return null;
  const {endOffset = null, senderTimeline = null, endTransaction = null} = first;
  const {heldOffset = null, replayOffset} = link;
  if (!first.senderRead || !isPlace(endOffset) || !isPlace(replayOffset) || senderTimeline !== (link.senderTimeline ?? null)) return null;
  const apart = (place: string): number => Math.max(0, Number(BigInt(endOffset) - BigInt(place)));
  return {
    ...link,
    ...{flushBytes: isPlace(heldOffset) ? apart(heldOffset) : null, replayBytes: apart(replayOffset)},
    ...{
      endOffset,
      endTransaction,
      outstandingTransactions: sum(chain.links.map(({outstandingTransactions = null}) => outstandingTransactions)),
    },
    lastReplayAgeSeconds: ageOf(chain.links, link),
  };
}

/** Of a log a standby tells how old is what it replayed last, whoever handed it on. A replica only tells how far it is behind its own sender. */
function ageOf(links: readonly LinkReading[], {kind, lastReplayAgeSeconds}: LinkReading): number | null {
  if (kind !== 'replica') return lastReplayAgeSeconds;
  return sum(links.map((each) => (each.replayBytes === 0 ? 0 : each.lastReplayAgeSeconds)));
}

/** null = one of them is not known. */
function sum(values: readonly (number | null)[]): number | null {
  return values.reduce((all, each) => (all === null || each === null ? null : all + each), 0);
}

const isPlace = (offset: string | null | undefined): offset is string => typeof offset === 'string' && /^\d+$/.test(offset);
