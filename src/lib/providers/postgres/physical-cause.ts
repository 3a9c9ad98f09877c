import {formatMs} from '../../output/units.ts';
import type {LinkCause} from '../../ports/store.ts';
import type {Facts} from './facts.ts';
import type {Ends} from './physical-link.ts';
import type {Holder, Sender, Slot} from './reading.ts';
import {type Forks, lsnText} from './timeline.ts';

/** What stands in the way of a link, and the sentence for it. No cause: the link has to be judged by its figures; the sentence may still say why. */
export type Trouble = {readonly cause: LinkCause | null; readonly trouble: string | null};

export const broken = (code: string, trouble: string): Trouble => ({cause: {code, state: 'broken'}, trouble});
export const late = (code: string, trouble: string): Trouble => ({cause: {code, state: 'late'}, trouble});
export const stalled = (code: string, trouble: string): Trouble => ({cause: {code, state: 'stalled'}, trouble});

/** The gravest comes first: what makes a stream impossible, then why there is none, then why it does not move. */
export function causeOf(ends: Ends): Trouble {
  const {node, receiver, sender} = ends;
  if (receiver === null) return unread(ends);
  const {facts} = receiver;
  if (!facts.recovering) return ownPrimary(ends, facts);
  const isConnected = sender !== null || facts.receiver === 'streaming';
  const found = impossible(ends, facts, isConnected) ?? (isConnected ? (otherName(ends, facts) ?? held(ends)) : notConnected(ends, facts));
  if (found !== null) return found;
  const {from, sending} = ends;
  if (sending?.known === false) return {cause: null, trouble: sending.reason};
  if (sending === undefined) return {cause: null, trouble: `${node.name} is set to follow ${from}, which is no member that can be asked.`};
  return {cause: null, trouble: facts.replayPaused ? `Replay is paused on ${node.name}.` : null};
}

/** A server that does not let anybody in yet is on its way, if its sender waits for it. */
function unread({own, sending, sender}: Ends): Trouble {
  if (own?.known !== false) return {cause: null, trouble: sending?.known === false ? sending.reason : null};
  if (own.code === 'starting' && sender === null && sending?.known === true) return late('starting', own.reason);
  return {cause: null, trouble: sending?.known === false ? `${own.reason} ${sending.reason}` : own.reason};
}

function ownPrimary({node, end, from}: Ends, {timeline, lineage}: Facts): Trouble {
  const isOther = end !== null && end.facts.lineage !== lineage;
  const other = isOther ? `, of another cluster than ${from}` : '';
  return broken('promoted', `${node.name} runs as a primary of its own on timeline ${timeline}${other}.`);
}

function impossible(ends: Ends, facts: Facts, isConnected: boolean): Trouble | null {
  const {node, from, end, slot} = ends;
  if (end === null) return null;
  if (end.facts.lineage !== facts.lineage)
    return broken('other-cluster', `${node.name} is a copy of another cluster than ${from}: it cannot follow it.`);
  const slotName = facts.slotName;
  if (slot !== null && (slot.status === 'lost' || slot.invalidated !== null)) {
    const why = slot.invalidated === null ? '' : ` (${slot.invalidated})`;
    return broken(
      'slot-lost',
      `${from} has given up the slot ${slot.name} of ${node.name}${why}: what ${node.name} needs next may be gone.`,
    );
  }
  if (!isConnected && slotName !== '' && slot === null)
    return broken('no-slot', `${node.name} is set to use the slot ${slotName}, which ${from} does not have.`);
  return timelines(ends, facts, end.facts, isConnected);
}

/** It streams under a name by which nobody can tell who it is, nor wait for it. */
function otherName({node: {name}, from, stranger}: Ends, {receiver}: Facts): Trouble | null {
  if (stranger === null || receiver !== 'streaming') return null;
  const place = stranger.address == null ? '' : ` from ${stranger.address}`;
  return broken(
    'other-name',
    `${from} lists a standby that calls itself ${stranger.application}${place}; ${name} must connect as application_name=${name}.`,
  );
}

/** Whether the server has given it up. */
export const isLost = (slot: Slot | null): slot is Slot => slot !== null && (slot.status === 'lost' || slot.invalidated !== null);

/** What that means for the member that it was kept for. */
export function slotLost(slot: Slot, from: string, member: string): Trouble {
  const why = slot.invalidated === null ? '' : ` (${slot.invalidated})`;
  return broken('slot-lost', `${from} has given up the slot ${slot.name} of ${member}${why}: what ${member} needs next may be gone.`);
}

/** A standby follows a promotion only from a place that its log has not passed yet. */
function timelines({node, from, sender, more}: Ends, facts: Facts, there: Facts, isConnected: boolean): Trouble | null {
  const {name} = node;
  if (facts.timeline === there.timeline) return null;
  if (facts.timeline > there.timeline) {
    if (isConnected) return null;
    return broken(
      'old-timeline',
      `${from} is on timeline ${there.timeline}, which ${name} has left: ${name} is on timeline ${facts.timeline}.`,
    );
  }
  const fork = forkOf(more.forks.get(from), facts.timeline);
  if (fork !== null) {
    const [mine, parted] = [BigInt(facts.durable), fork];
    if (mine <= parted) return null;
    return broken(
      'old-timeline',
      `The log of ${name} went another way: timeline ${there.timeline} of ${from} forked off at ${lsnText(parted)}, and ${name} has timeline ${facts.timeline} up to ${lsnText(mine)}.`,
    );
  }
  const both = `${name} is on timeline ${facts.timeline} and ${from} on timeline ${there.timeline}`;
  if (hasMoreThanSent(sender))
    return broken('old-timeline', `${both}: ${name} holds log that ${from} never sent it, so its log went another way.`);
  if (isConnected) return null;
  return broken('old-timeline', `${both}: ${name} has not come over, so its log may have gone another way.`);
}

/** A sender goes on as far as both logs are the same, and lists such a standby as streaming, with nothing outstanding. */
const hasMoreThanSent = (sender: Sender | null): boolean =>
  sender !== null && sender.sendBytes !== null && sender.flushBytes !== null && sender.flushBytes < sender.sendBytes;

const forkOf = (forks: Forks | undefined, timeline: number): bigint | null => forks?.get(timeline) ?? null;

function notConnected({node, from, receiver}: Ends, facts: Facts): Trouble | null {
  const {name} = node;
  const event = receiver?.startup?.event ?? '';
  if (facts.receiver === 'starting' || facts.receiver === 'connecting')
    return late('connecting', `${name} is connecting to ${from} and has no answer yet.`);
  // One that should stream looks into its archive as well whenever its connection fails.
  if (event === 'RestoreCommand' && facts.conninfo === '')
    return late('restoring', `${name} takes its log from an archive, not from ${from}.`);
  if (facts.replaying) return late('replaying', `${name} was restarted and is replaying what it holds before it connects to ${from}.`);
  if (facts.conninfo === '') return broken('no-upstream', `${name} is a standby that is set to follow nobody.`);
  return null;
}

function held({node, receiver}: Ends): Trouble | null {
  const {name} = node;
  if (receiver?.facts.replayPaused === true)
    return stalled('replay-paused', `Replay is paused on ${name}: its queries see nothing new until it is resumed.`);
  const startup = receiver?.startup;
  if (startup?.event === 'RecoveryApplyDelay')
    return late(
      'apply-delay',
      `${name} replays late on purpose: recovery_min_apply_delay is ${formatMs(receiver?.settings.applyDelayMs ?? null)}.`,
    );
  if (startup == null || !isConflict(startup.type, startup.event)) return null;
  const forEver = receiver?.settings.streamingDelayMs === -1;
  const says = `${forSo(startup.waitedSeconds)}for ${blocker(startup.holder)}`;
  if (forEver)
    return stalled('recovery-conflict', `Replay on ${name} waits ${says}; max_standby_streaming_delay is -1, so it waits until that ends.`);
  const limit = formatMs(receiver?.settings.streamingDelayMs ?? null);
  return late('recovery-conflict', `Replay on ${name} waits ${says}; max_standby_streaming_delay ends that after ${limit}.`);
}

const isConflict = (type: string | null, event: string | null): boolean =>
  type === 'Lock' || type === 'BufferPin' || (event?.startsWith('RecoveryConflict') ?? false);

const forSo = (seconds: number | null): string => (seconds === null ? '' : `since ${formatMs(seconds * 1000)} `);

/** The session that has to end, in words. */
export function blocker(holder: Holder | null): string {
  if (holder === null) return 'a query';
  const who = holder.user === null ? '' : ` of ${holder.user}`;
  const open = holder.seconds === null ? '' : `, open for ${formatMs(Math.max(0, holder.seconds) * 1000)}`;
  return `a transaction${who} (pid ${holder.pid}${open})`;
}
