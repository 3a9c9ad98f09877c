import type {Client, Connection, Submittable} from 'pg';

const names = new Map<string, string>();
/** Texts that are long are few, and looked up as constants; were they made up of names, no more than so many would be kept by a server. */
const MOST_PLANS = 100;
const LONG = 150;

/** Keeps a statement from being given a name, wherever it stands in it. */
export const ONCE = '/* once */';

/** A question over the catalogs costs a server more to plan than to answer, and is asked many times: its plan is kept for the session. */
function planName(sql: string): string | null {
  if (sql.length < LONG || sql.includes(ONCE) || !/^\s*(?:select|with)\b/i.test(sql)) return null;
  const known = names.get(sql);
  if (known !== undefined) return known;
  if (names.size >= MOST_PLANS) return null;
  const name = `regionctl_${names.size}`;
  names.set(sql, name);
  return name;
}

/** Which statements a server was given by name over a connection. */
const given = new WeakMap<Client, Set<string>>();

function givenBy(client: Client): Set<string> {
  const names = given.get(client) ?? new Set();
  given.set(client, names);
  return names;
}

/** The name under which a statement is sent over this connection, if it has one. */
export function named(client: Client, sql: string): {readonly name?: string} {
  const name = planName(sql);
  if (name === null) return {};
  givenBy(client).add(name);
  return {name};
}

/** Lets the server read statements without running them, so that their first run is as fast as the next ones. */
export async function readAhead(client: Client, sqls: readonly string[]): Promise<void> {
  for (const sql of sqls) {
    const name = planName(sql);
    if (name !== null && !givenBy(client).has(name)) await read(client, sql, name);
  }
}

function read(client: Client, text: string, name: string): Promise<void> {
  givenBy(client).add(name);
  return new Promise((done, fail) => {
    // pg puts its own time-out around `callback`, and ends it when that is called.
    const parsing = {
      name,
      text,
      callback: (error: unknown) => (error == null ? done() : fail(error)),
      submit: (connection: Connection) => {
        connection.parse({name, text, types: []}, true);
        connection.sync();
      },
      handleReadyForQuery: () => parsing.callback(null),
      handleError: (error: unknown) => parsing.callback(error),
    };
    client.query(parsing as unknown as Submittable);
  });
}
