import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Loss} from '../plan/plan.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {Position} from '../snapshot/position.ts';
import type {AckRule, Member} from '../snapshot/snapshot.ts';
import type {Audit} from './audit.ts';
import type {Finding} from './finding.ts';
import type {Repair} from './repair.ts';

/**
 * Evidence that a member can no longer acknowledge writes. `survivesRestart` = it still holds if the server is started again.
 * `leaks` names the ways by which a write may be acknowledged all the same.
 */
export type Proof = {
  readonly kind: 'stopped' | 'closed' | 'sealed' | 'hook' | 'break-glass';
  readonly at: string;
  readonly survivesRestart: boolean;
  readonly leaks: readonly string[];
  /** Where the member's log ended, read after its last session was gone; absent when it could not be read. */
  readonly position?: Position;
  /** Transactions that were committed there and whose clients were told nothing: their sessions were ended while they waited. In the store's own words. */
  readonly untold?: readonly string[];
  /** It was so already: nothing was done to the member. */
  readonly found?: true;
};

/**
 * What a link that carries messages has instead of a log: the queue that it drains on the sending end. Counts are of messages, ages in seconds,
 * rates per second; null = not to be had, never 0.
 */
export type MessageReading = {
  /** What carries them, as a person knows it: `the shovel orders on eu`. */
  readonly carrier: string;
  readonly queue: string;
  /**
   * How the carrier stands, as the broker that runs it says: `starting` = it has no connection yet, or not again. null = that broker could not be
   * asked. `trouble` of the reading has its words.
   */
  readonly flow: 'running' | 'starting' | 'down' | null;
  /** Messages that have not arrived: those that wait, and those on their way that nobody has confirmed. */
  readonly depth: number | null;
  readonly unacknowledged: number | null;
  /** Age of the oldest of them; 0 when there is none. */
  readonly oldestAgeSeconds: number | null;
  /** By the message's own timestamp, or worked out from counts and rates; null = there is no message, or no way to tell. */
  readonly ageBasis: 'timestamp' | 'estimate' | null;
  readonly consumers: number | null;
  /** Deliveries of a message that had been delivered before, since the broker counts. */
  readonly redelivered: number | null;
  /** Messages in the queues to which this one's dead letters go. */
  readonly deadLettered: number | null;
  readonly publishedPerSecond: number | null;
  /** How fast messages leave the queue. 0 only when some waited all the time: a pause with nothing to do is null. */
  readonly movedPerSecond: number | null;
};

/**
 * What an engine itself says stands in the way of a link: a stable word, and what it means for the link. `stalled` = connected, and nothing will
 * move until somebody does something; `broken` = nothing can move; `late` = it moves, or will by itself. The sentence is `trouble` of the reading.
 */
export type LinkCause = {readonly code: string; readonly state: 'stalled' | 'broken' | 'late'};

/** What a link of row changes (logical replication) has besides: its subscription on the receiving end. Counts are since the statistics were reset. */
export type SubscriptionReading = {
  readonly name: string;
  readonly enabled: boolean;
  /** Tables by how far their first copy is. */
  readonly tables: {readonly ready: number; readonly copying: number};
  readonly applyErrors: number | null;
  readonly syncErrors: number | null;
  /** Transactions that an operator had it skip (ALTER SUBSCRIPTION … SKIP) and that have not been met yet; the place in the log. */
  readonly skipping: string | null;
  /** Conflicts by kind; null = this version does not count them. */
  readonly conflicts: Readonly<Record<string, number>> | null;
  /** Which changes it takes: `any`, or `none` = only those that were made on the sending end itself. */
  readonly origin: string;
};

/** The place that keeps log for a receiver, on the sending member. Sizes in bytes, ages in seconds. */
export type SlotReading = {
  readonly name: string;
  readonly kind: 'physical' | 'logical';
  /** The member that it is kept for, as far as that is known; null = not known. */
  readonly keptFor: string | null;
  /** The member whose slot of this name it is a copy of: whoever keeps it for the day of a promotion moves and drops it along. `unknown` = it is one, of whose cannot be told; absent = it is none. */
  readonly copyOf?: string;
  readonly database: string | null;
  readonly active: boolean;
  readonly temporary: boolean;
  /** Log that is kept because of it; null = it keeps none yet. */
  readonly retainedBytes: number | null;
  /** Log that may still be written before what it needs is removed; null = no limit is set, or it is lost. */
  readonly safeBytes: number | null;
  /** `reserved`, `extended`, `unreserved` or `lost`, as the engine says; null = it does not. */
  readonly status: string | null;
  /** Why the engine gave it up; null = it did not, or does not tell. */
  readonly invalidated: string | null;
  readonly inactiveSeconds: number | null;
  /** Where the member's log ended at this reading, in bytes as a decimal string: two of them are a rate. */
  readonly end: string;
  /** When it was read, by this machine's wall clock, in epoch ms. */
  readonly at: number;
};

/** One replication link read from both of its ends. Byte figures are exact differences at one reading; null = not to be had. */
export type LinkReading = {
  readonly from: string;
  readonly to: string;
  /** Its name, where a pair of members may have several; absent = they have one. */
  readonly link?: string;
  /** What it carries: `physical` = the log itself, `logical` = changes of rows, `replica` = commands, `messages`. Absent = `physical`, or `messages` where it has some. */
  readonly kind?: 'physical' | 'logical' | 'replica' | 'messages';
  /** The engine's own word for what is wrong; absent = nothing is, or it does not say. */
  readonly cause?: LinkCause;
  /** How long the latest log took to each stage, in seconds, as the sender measured it; null or absent = not to be had. Stays as it was on an idle link. */
  readonly writeSeconds?: number | null;
  readonly flushSeconds?: number | null;
  readonly replaySeconds?: number | null;
  /** The end of the sender's log at this reading, and how far the receiver holds it, in bytes as decimal strings; null or absent = not known. */
  readonly endOffset?: string | null;
  readonly heldOffset?: string | null;
  /** How many transactions the receiver does not have, at most, and the first id that the sender has not given out, as a decimal string; null or absent = not known. */
  readonly outstandingTransactions?: number | null;
  readonly endTransaction?: string | null;
  /** The timelines that both ends are on; null or absent = not known, or there is no such thing. */
  readonly senderTimeline?: number | null;
  readonly receiverTimeline?: number | null;
  /** Queries that replay has cancelled on the receiver since its statistics were reset. */
  readonly conflicts?: number | null;
  readonly slot?: SlotReading | null;
  readonly subscription?: SubscriptionReading;
  /** After so long without a word from its sender a receiver has asked for one and had no answer: heard of longer ago, the sender is silent. In ms; absent = not known. */
  readonly silentAfterMs?: number | null;
  /** Only of links that carry messages: they have no bytes to compare. */
  readonly messages?: MessageReading;
  /** What the sending end says of the stream: its state word, or null when it does not list the receiver. */
  readonly senderState: string | null;
  readonly receiverConnected: boolean | null;
  readonly sendBytes: number | null;
  readonly writeBytes: number | null;
  readonly flushBytes: number | null;
  readonly replayBytes: number | null;
  /** Age of the last replayed transaction on the receiver, in seconds. Grows on an idle link: never a lag by itself. */
  readonly lastReplayAgeSeconds: number | null;
  readonly heardUpstreamAgoMs: number | null;
  /** WAL bytes that may still be written before the receiver can no longer catch up; null = unlimited or not known. */
  readonly runwayBytes: number | null;
  readonly sync: string | null;
  readonly sampleAgeMs: number;
  readonly trouble: string | null;
  /** What else is known of it and is no fault of the link, from whoever watches over the store: one clause each, without a full stop. Absent = nothing. */
  readonly notes?: readonly string[];
  /** Whether the sending end answered. */
  readonly senderRead: boolean;
  /** How far the receiver has replayed, in bytes as a decimal string. */
  readonly replayOffset: string | null;
};

/** One way back into the store for a member, with what it would move. `seconds` = what it will take by what earlier ones took; null = not known. */
export type WayBack = {readonly how: 'follow' | 'rewind' | 'rebuild'; readonly bytes: number | null; readonly seconds?: number | null};

/** What was kept of a member before it was overwritten. `rows` counts rows, `files` are absolute paths. */
export type Saved = {
  readonly rows: number;
  readonly tables: readonly string[];
  readonly walBytes: number;
  readonly files: readonly string[];
  /** What could not be kept, or not be told apart, one sentence each; absent = nothing. */
  readonly missing?: readonly string[];
};

/**
 * One thing that a failover of the store may have to wait for, at worst. `ms` null = it could not be read, Infinity = nothing limits it. `why` is
 * one sentence with the setting and its value; `fix` says how to make it shorter, null = it is a limit of our own.
 */
export type Delay = {
  readonly stage: 'detect' | 'cut-over';
  readonly what: string;
  readonly ms: number | null;
  readonly why: string;
  readonly fix: string | null;
};

/** Writes to one member of a store, each by itself: one that hangs holds up no other. */
export type WitnessWriter = {
  /**
   * `acknowledged`: committed, as the store says. `failed`: surely not written. `unknown`: it may be there (a deadline, a lost connection, a commit
   * with a warning that it is local only). `ended` is called once, at the latest when the returned function gives the write up; with `unsent` when it
   * was never sent because every connection that may be opened was waiting for an answer.
   */
  write(ref: string, ended: (outcome: 'acknowledged' | 'failed' | 'unknown', unsent?: 'unsent') => void): () => void;
  /** Ms of this thread's time that its work has taken so far; absent = it is not measured. */
  tookMs?(): number;
  close(): void;
};

/**
 * What a peer has committed itself and one other peer has not applied. `transactions`: those that send something to that one; `exact` = counted beyond
 * what it says it has applied, else beyond what it last confirmed: at most so many. null = could not be counted, and `why` says so. `bytes` = the log in
 * which they are: an upper bound, since it holds what others sent, too.
 */
export type Unsent = {
  readonly transactions: number | null;
  readonly exact: boolean;
  readonly bytes: number | null;
  readonly why: string | null;
};

/** What abilities a store may have beyond being observed. Each is optional: ask before use. */
export type Abilities = {
  /** A token held by the store itself on every reachable member. `evict` ends the sessions of a former holder. */
  claim: {
    /** Takes it on the named members (default: all); those that do not answer are left out. What a former process of the same run left is evicted. */
    claim(ctx: Ctx, members?: readonly string[]): Promise<readonly string[]>;
    /** The same, after ending the session of whoever has it. What that one had sent is done or never will be. */
    evict(ctx: Ctx, members?: readonly string[]): Promise<readonly string[]>;
    /** Gets the members ready for what will have to be fast. Never throws. */
    ready?(members: readonly string[]): Promise<void>;
    held(ctx: Ctx): Promise<boolean>;
    /** Who has it, in the store's own words, by member; null = nobody. Nothing is taken; members that do not answer are left out. */
    holders(ctx: Ctx, members?: readonly string[]): Promise<Readonly<Record<string, string | null>>>;
    release(ctx: Ctx): Promise<void>;
  };
  /** Makes standbys let go of their upstream; answers the durable position that each had afterwards. */
  seal: {
    seal(ctx: Ctx, members: readonly string[]): Promise<Readonly<Record<string, Position>>>;
    sealed(ctx: Ctx, members: readonly string[]): Promise<Readonly<Record<string, Cell<boolean>>>>;
  };
  fence: {
    /**
     * Fences by the best proof that can be had for this member now: stopped, else closed. Throws GuardError when none can. With `untold` it
     * also tells which transactions waited for standbys when their sessions were ended: committed there, and acknowledged to nobody. With
     * `keepRunning` a member that could be closed is not stopped as well: it can still be read. With `lossless` what it acknowledges until it is
     * closed is not lost, so its sessions are ended only when nobody else is let in any more.
     */
    fence(ctx: Ctx, member: string, how?: {readonly untold?: true; readonly keepRunning?: true; readonly lossless?: true}): Promise<Proof>;
    /** Ability: has the member write out now what a clean stop would have to, so that the stop is short. false = our role may not ask for it, or it takes too long. */
    writeOut?(ctx: Ctx, member: string): Promise<boolean>;
    /** Looks again, without touching anything. null = not fenced by a means that can be seen on the member itself. */
    prove(ctx: Ctx, member: string): Promise<Proof | null>;
    /**
     * `following`: only after the member was seen in recovery and following. `undo`: no promotion has happened and the member is the
     * primary still, so it is opened again (and started by its host when it was stopped).
     */
    lift(ctx: Ctx, member: string, when: 'following' | 'undo'): Promise<void>;
    /** Whether the member takes sessions as it did before a fence. */
    open(ctx: Ctx, member: string): Promise<boolean>;
  };
  /** Sets who must acknowledge (quorum of `need` among `of`) on a member, in force from its first write as a primary. */
  durability: {
    set(ctx: Ctx, member: string, rule: {need: number; of: readonly string[]}): Promise<void>;
    read(ctx: Ctx, member: string): Promise<{need: number; of: readonly string[]}>;
  };
  /** Promotes if and only if the member is still at `from.epoch`, at or past `from.offset`, claimed by us, and it is before `until` (monotonic ms, as `ctx.now`). */
  promote: {promote(ctx: Ctx, member: string, when: {from: Position; until: number}): Promise<Position>};
  follow: {
    /** Points a standby at an upstream and waits until it streams. Throws `cannot-follow`. */
    follow(ctx: Ctx, member: string, upstream: string): Promise<void>;
    /** Points it there without waiting: for an upstream that does not answer now. */
    point(ctx: Ctx, member: string, upstream: string): Promise<void>;
    following(ctx: Ctx, member: string): Promise<string | null>;
  };
  rejoin: {
    /** The ways back, cheapest first, with what each would move. */
    options(member: string, signal: AbortSignal): Promise<readonly WayBack[]>;
    /** Whether the member, the primary now, could be rewound once another one has taken over. */
    rewinds?(member: string, signal: AbortSignal): Promise<boolean>;
    /** Whether the member, the primary now, could be started as a standby of another; absent = it can be told only when it is to be. */
    returns?(member: string, signal: AbortSignal): Promise<boolean>;
    rejoin(ctx: Ctx, member: string, how: WayBack['how'], upstream: string): Promise<{bytes: number | null}>;
    /**
     * Keeps what `member` holds that `upstream` does not, before it is overwritten: the rows, and the WAL range from where it left. Written into
     * `dir` on this machine. Leaves the member stopped or in recovery, never writable. null = it holds nothing of its own.
     */
    save?(ctx: Ctx, member: string, upstream: string, dir: string): Promise<Saved | null>;
  };
  /** The first column of the first row of one read-only query, with a time limit; null = no row. For checks of function and business. */
  scalar: {scalar(member: string, query: string, signal: AbortSignal): Promise<Json>};
  /** For engines whose own manager moves the primary (Patroni): regionctl asks it, and never acts around it. */
  manage: {
    /** Moves the primary to `to`. `planned`: the present one is healthy and hands over; else it is gone. Answers where the new primary begins. */
    handover(ctx: Ctx, move: {from: string | null; to: string; planned: boolean}): Promise<Position>;
    /** What its manager says that speaks against a handover now, one finding each; `error` findings refuse it. Reads only. */
    fit(move: {from: string | null; to: string; planned: boolean}, signal: AbortSignal): Promise<readonly Finding[]>;
  };
  /** The worst case until the store's own manager has moved on after its primary is gone, in ms from the loss; `why` names the settings. */
  timings: {timings(signal: AbortSignal): Promise<{readonly detectMs: number; readonly why: string}>};
  /** What a failover of the store may have to wait for, by its settings as they are now. Reads only; a member that does not answer is a delay that is not known. */
  delays: {delays(signal: AbortSignal): Promise<readonly Delay[]>};
  loss: {
    loss(to: string, signal: AbortSignal): Promise<Loss & {readonly seconds: number | null}>;
    /** What `member` holds now, as something to count from: taken of the target right before it is promoted. */
    mark?(member: string, signal: AbortSignal): Promise<Json>;
    /** How many transactions are committed on `member` that the mark does not hold, `without` those that are named: exact, whatever the writes were. */
    since?(member: string, mark: Json, signal: AbortSignal, without?: readonly string[]): Promise<{readonly transactions: number}>;
  };
  links: {links(signal: AbortSignal): Promise<readonly LinkReading[]>};
  /** Only of peers: what one of them has not sent yet, and what of it arrived late. Nothing is written but a place to read from that ends with the session. */
  outbound: {
    /** What `member` holds of its own and each of the others does not, by their names. Throws when `member` cannot be asked. */
    unsent(member: string, signal: AbortSignal): Promise<Readonly<Record<string, Unsent>>>;
    /** What `at` has now, as something to count from. */
    mark(at: string, signal: AbortSignal): Promise<Json>;
    /** How many transactions of `from` came to `at` since the mark: exact, but one with savepoints of the receiver's triggers counts for each that wrote. */
    since(at: string, from: string, mark: Json, signal: AbortSignal): Promise<number>;
  };
  /** What keeps log for receivers, on every member: also what nobody uses any more. A member that does not answer is an unknown cell. */
  slots: {slots(signal: AbortSignal): Promise<Readonly<Record<string, Cell<readonly SlotReading[]>>>>};
  /** Writes one small transaction on the primary that standbys see go by, so that an idle link and a dead one can be told apart. Only where the fleet file allows it. */
  heartbeat: {beat(signal: AbortSignal): Promise<void>};
  /** What watches over the store from outside, as it says itself: whether it could move the primary now. One finding each. */
  overseers: {overseers(signal: AbortSignal): Promise<readonly Finding[]>};
  /** How far each member's clock is ahead of this machine's, in ms (negative = behind), by the middle of a round trip; null = it did not answer. */
  clock: {offsets(signal: AbortSignal, members?: readonly string[]): Promise<Readonly<Record<string, number | null>>>};
  /** Settings and privileges that a failover will need, each judged. Reads only. */
  inspect: {inspect(signal: AbortSignal, members?: readonly string[]): Promise<readonly Finding[]>};
  /**
   * Numbered writes of the witness straight into the store, in a table or under keys of its own, and nowhere else. Only used where the fleet file
   * allows it (`witness.stores`).
   */
  witness: {
    /** Makes the place for the writes on the primary; there already = success. Throws what else goes wrong, such as a missing privilege. */
    prepare(signal: AbortSignal): Promise<void>;
    /** A writer to one member, whatever its role: a standby refuses. Connects by itself, again and again; never throws. */
    writer(member: string, run: string): WitnessWriter;
    /** How often each reference of the run is there, read on one member. Throws when it cannot be read to its end. */
    readBack(member: string, run: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
    /** Removes what the run wrote, and the place itself when nothing else is in it. Nothing there = success. */
    clean(run: string, signal: AbortSignal): Promise<void>;
  };
  /** Digests of chunks of rows, made by the engine: what an audit compares. */
  audit: Audit;
  /** Single rows written by compare-and-set, unseen by subscribers: what a repair is made of. */
  repair: Repair;
  /** Per-row digests of every user table at or past a position, ordered by key: what a row-by-row comparison reads. */
  digest: {
    tables(member: string, signal: AbortSignal): Promise<readonly string[]>;
    /** Tables that are left out because they have no primary key, by name. */
    skipped?(member: string, signal: AbortSignal): Promise<readonly string[]>;
    rows(member: string, table: string, at: Position, signal: AbortSignal): AsyncIterable<{key: string; sum: string}>;
  };
};

/** Store port. `observe` answers one cell for each member asked for (default: all of the fleet file), whatever its state, and never throws for an unreachable one. */
export type Store = {
  readonly engine: string;
  /** The program that moves this store's primary itself; absent = none. Such a store has the ability `manage` and no `seal`. */
  readonly manager?: string;
  /** Every member takes writes of its own: there is no primary, so nothing to promote, fence or follow. Members answer as `peer`. */
  readonly peers?: true;
  /** regionctl only watches this store: it can be asked, and is moved by others or not at all. Plans leave it alone and say so. */
  readonly watched?: true;
  observe(signal: AbortSignal, members?: readonly string[]): Promise<Readonly<Record<string, Cell<Member>>>>;
  ackRule(signal: AbortSignal): Promise<Cell<AckRule>>;
  readonly abilities: Partial<Abilities>;
  close(): Promise<void>;
};
