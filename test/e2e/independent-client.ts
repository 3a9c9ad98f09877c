import {createWriteStream, readFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import pg from 'pg';

// A client of its own, to check the witness by: it shares no code with it, is a process of its own, and reads the truth from the database.
//   node independent-client.ts <front door> <prefix of its references> <log file>
// It writes from the start. A line on stdin that names a database ends it: {"host", "port", "passwordFile"}; it answers with one line of JSON.

/** Where the truth is read: the server itself, past every proxy. */
export type Truth = {readonly host: string; readonly port: number; readonly passwordFile: string};

/** What became of the writes. Instants are epoch ms. */
export type Findings = {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged and not there, in the order of their acknowledgements. */
  readonly lost: readonly {readonly ref: string; readonly ackedAt: number}[];
  /** There more than once. */
  readonly duplicated: readonly string[];
  readonly longestGapMs: number;
  /** The acknowledgements at both ends of that gap. */
  readonly gapFrom: number;
  readonly gapTo: number;
};

type Write = {readonly n: number; readonly ref: string; readonly sentAt: number; endedAt: number | null; status: number | string | null};

const EVERY_MS = 10;
const DEADLINE_MS = 2000;

const instant = () => performance.timeOrigin + performance.now();

if (import.meta.main) await main(process.argv.slice(2));

async function main([frontDoor = '', prefix = '', logFile = '']: readonly string[]): Promise<void> {
  const agent = new Agent({keepAlive: true, maxFreeSockets: 8});
  const writes: Write[] = [];
  const log = createWriteStream(logFile, {flags: 'wx'});
  const stop = new AbortController();
  const sending = sendAll();
  for await (const line of createInterface({input: process.stdin})) {
    stop.abort();
    await sending;
    agent.destroy();
    await new Promise((resolve) => log.end(resolve));
    process.stdout.write(`${JSON.stringify(judge(writes, await readTruth(JSON.parse(line), prefix)))}\n`);
    break;
  }
  // Stdin that ends without a word: whoever started us is gone.
  process.exit(0);

  /** The n-th write leaves at start + n * 10 ms, whatever is outstanding; those that our own process was late for leave at once. */
  async function sendAll(): Promise<void> {
    const startedAt = performance.now();
    const ended: Promise<void>[] = [];
    for (let n = 0; !stop.signal.aborted; n += 1) {
      const wait = startedAt + n * EVERY_MS - performance.now();
      if (wait > 0) await sleep(wait);
      ended.push(send(n));
    }
    await Promise.all(ended);
  }

  async function send(n: number): Promise<void> {
    const write: Write = {n, ref: `${prefix}-${n}`, sentAt: instant(), endedAt: null, status: null};
    writes.push(write);
    write.status = await post(write.ref);
    write.endedAt = instant();
    log.write(`${JSON.stringify(write)}\n`);
  }

  /** The status of the answer, or the code of what went wrong. */
  function post(ref: string): Promise<number | string> {
    const body = JSON.stringify({ref, item: 'independent', quantity: 1});
    return new Promise((resolve) => {
      const sent = request(`${frontDoor}/orders`, {method: 'POST', agent, headers: {'content-type': 'application/json'}});
      const timer = setTimeout(() => {
        resolve('deadline');
        sent.destroy();
      }, DEADLINE_MS);
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      sent.on('response', (response) => {
        response.on('error', () => undefined);
        response.resume();
        resolve(response.statusCode ?? 'none');
      });
      sent.on('close', () => clearTimeout(timer));
      sent.end(body);
    });
  }
}

/** How often each reference is there. */
async function readTruth({host, port, passwordFile}: Truth, prefix: string): Promise<ReadonlyMap<string, number>> {
  const password = readFileSync(passwordFile, 'utf8').trim();
  const client = new pg.Client({host, port, user: 'regionctl', password, database: 'orders', query_timeout: 10_000});
  await client.connect();
  try {
    const {rows} = await client.query<{ref: string; times: number}>(
      `select ref, count(*)::int as times from orders where ref like $1 || '-%' group by ref`,
      [prefix],
    );
    return new Map(rows.map(({ref, times}) => [ref, times]));
  } finally {
    await client.end();
  }
}

function judge(writes: readonly Write[], truth: ReadonlyMap<string, number>): Findings {
  const acked = writes
    .filter(({status}) => status === 201)
    .map(({ref, endedAt}) => ({ref, ackedAt: endedAt ?? 0}))
    .sort((a, b) => a.ackedAt - b.ackedAt);
  let gap = {longestGapMs: 0, gapFrom: 0, gapTo: 0};
  for (const [i, {ackedAt}] of acked.entries()) {
    const before = acked[i - 1]?.ackedAt ?? ackedAt;
    if (ackedAt - before > gap.longestGapMs) gap = {longestGapMs: ackedAt - before, gapFrom: before, gapTo: ackedAt};
  }
  return {
    sent: writes.length,
    acknowledged: acked.length,
    lost: acked.filter(({ref}) => !truth.has(ref)),
    duplicated: [...truth].filter(([, times]) => times > 1).map(([ref]) => ref),
    ...gap,
  };
}
