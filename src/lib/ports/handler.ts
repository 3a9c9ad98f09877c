/** What one region has of a key. `row`: the columns as the engine prints them, null = NULL; the row itself null = it has none. Times are ISO 8601. */
export type HandlerVersion = {
  readonly region: string;
  readonly row: Readonly<Record<string, string | null>> | null;
  readonly committedAt: string | null;
  /** The region from which it came by replication; null = it was written there, or not known. */
  readonly origin: string | null;
};

/** What a handler is asked: one key of one table, every region's version, and the columns that are merged by their types in any case. */
export type HandlerQuestion = {
  readonly store: string;
  readonly table: string;
  readonly key: string;
  readonly versions: readonly HandlerVersion[];
  readonly merged: Readonly<Record<string, string | null>>;
};

/**
 * What a handler decides: a row with every column that the versions have and the same key (null = the row is to be absent), the version of a region, or to
 * leave the key to a person, and why.
 */
export type HandlerAnswer =
  | {readonly row: Readonly<Record<string, string | null>> | null}
  | {readonly take: string}
  | {readonly leave: string};

/**
 * Handler port: decides between versions of a row, for tables with the policy `handler`. It writes nothing: what it answers goes into a plan that people
 * may review, and is checked there. The same question gets the same answer, whatever the order of its versions. Throws when it cannot decide for a reason that is not
 * the row's (its own service does not answer), and the reason of `signal` when that is aborted; the key is then left to a person.
 */
export type Handler = {decide(question: HandlerQuestion, signal: AbortSignal): Promise<HandlerAnswer>};
