import type {WitnessLog, WitnessWrite} from './witness-log.ts';

/** What one member acknowledged. Instants are epoch ms; null = nothing. */
export type MemberAcks = {
  readonly member: string;
  readonly acknowledged: number;
  readonly firstAckAt: number | null;
  readonly lastAckAt: number | null;
};

/** The time in which more than one member acknowledged writes, by their acknowledgements, and how many they were. */
export type TwoWriters = {readonly members: readonly string[]; readonly from: number; readonly to: number; readonly writes: number};

/**
 * The log as a client would have it that always finds the primary: a number that some member took, or may have taken, is not refused because
 * others refused it. Pure.
 */
export function overMembers(log: WitnessLog): WitnessLog {
  const taken = new Set(log.writes.filter(({outcome}) => outcome !== 'failed').map(({n}) => n));
  const refused = new Map<number, WitnessWrite>();
  for (const write of log.writes) {
    const before = refused.get(write.n);
    // The last refusal is when it was certain that nobody took it.
    if (!taken.has(write.n) && (before === undefined || before.endedAt < write.endedAt)) refused.set(write.n, write);
  }
  return {...log, writes: log.writes.filter((write) => write.outcome !== 'failed' || refused.get(write.n) === write)};
}

/** What each member acknowledged, in the order of the names that are given. */
export function acksByMember(log: WitnessLog, members: readonly string[]): readonly MemberAcks[] {
  return members.map((member) => {
    const times = acksOf(log, member).map(({endedAt}) => endedAt);
    return {member, acknowledged: times.length, firstAckAt: times[0] ?? null, lastAckAt: times.at(-1) ?? null};
  });
}

/** How many writes were not sent because every connection was waiting, by member; without those that sent all. */
export function unsentByMember(log: WitnessLog): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const {member, unsent} of log.writes) if (unsent === true && member !== undefined) counts.set(member, (counts.get(member) ?? 0) + 1);
  return counts;
}

/* Nobody hands over to another one and takes back within so long. */
const TOGETHER_MS = 1000;

/**
 * Whether two members were writable at the same time: one took a write that was sent after another one had acknowledged one, and that other one
 * took another soon after. A handover is none, there and back neither, nor is an acknowledgement that was on its way when it happened. Pure.
 */
export function twoWriters(log: WitnessLog): TwoWriters | null {
  const names = [
    ...new Set(log.writes.flatMap(({member, outcome}) => (member !== undefined && outcome === 'acknowledged' ? [member] : []))),
  ];
  const acks = names.map((name) => acksOf(log, name));
  const spans = acks.flatMap((one, i) => acks.slice(i + 1).flatMap((other) => spanOf(one, other) ?? []));
  if (spans.length === 0) return null;
  const from = spans.reduce((min, span) => Math.min(min, span.from), Number.POSITIVE_INFINITY);
  const to = spans.reduce((max, span) => Math.max(max, span.to), 0);
  const within = acks.flat().filter(({endedAt}) => endedAt >= from && endedAt <= to);
  // A single write of the second writer may stand alone in that time.
  const members = names.filter((_, i) => spans.some(({both}) => both.some((each) => each === acks[i])));
  return {members, from, to, writes: within.length};
}

type Acks = readonly WitnessWrite[];

/** From when on both are seen to write, to when the last of them is among the other's. One that stood still for a while began when it went on. */
function spanOf(one: Acks, other: Acks): {from: number; to: number; both: readonly Acks[]} | null {
  const [mine, theirs] = [amongOf(one, other), amongOf(other, one)];
  const starts = [mine, theirs].flatMap(([first]) => (first === undefined ? [] : [first.endedAt]));
  if (starts.length === 0) return null;
  const from = starts.reduce((max, at) => Math.max(max, at), 0);
  const to = [...mine, ...theirs].reduce((max, {endedAt}) => Math.max(max, endedAt), from);
  return {from, to, both: [one, other]};
}

const amongOf = (acks: Acks, other: Acks): Acks => acks.filter((write) => isAmong(write, other));

/** Whether `other` acknowledged before the write was sent, and again what it was sent after that write was over, with no more than TOGETHER_MS in between. */
function isAmong({sentAt, endedAt}: WitnessWrite, other: Acks): boolean {
  const before = other[firstAfter(other, sentAt) - 1];
  if (before === undefined) return false;
  for (let at = firstAfter(other, endedAt); at < other.length; at += 1) {
    const next = other[at];
    if (next === undefined || next.endedAt - before.endedAt > TOGETHER_MS) return false;
    if (next.sentAt >= endedAt) return true;
  }
  return false;
}

/** The index of the first that ended later than that. */
function firstAfter(writes: readonly WitnessWrite[], at: number): number {
  let [low, high] = [0, writes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((writes[middle]?.endedAt ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

function acksOf(log: WitnessLog, member: string): WitnessWrite[] {
  const acks = log.writes.filter((write) => write.member === member && write.outcome === 'acknowledged');
  return acks.sort((a, b) => a.endedAt - b.endedAt);
}
