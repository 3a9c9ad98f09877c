import type {IncomingMessage} from 'node:http';
import {z} from 'zod';
import {timeoutAwake} from '../awake.ts';
import {messageOf, unavailable} from '../errors.ts';
import {httpModule} from '../http-module.ts';
import type {Clock} from '../ports/clock.ts';
import {agree, NO_EVIDENCE, type ReadBack, type Reading, withRound} from './readings.ts';
import {serverName} from './server-name.ts';
import type {WitnessLog} from './witness-log.ts';

/**
 * `deadlineMs` bounds all of it (default 30 s), `pageDeadlineMs` one request (default 5 s). `patienceMs`: how long after its first failure a page that keeps
 * failing is asked for anew (default 3 s). `settleMs`: how long after the first round readings that contradict each other are made again (default 8 s). `get`
 * answers one page; default: over HTTP.
 */
export type ReadBackOptions = {
  readonly url: string;
  readonly run: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly deadlineMs?: number;
  readonly pageDeadlineMs?: number;
  readonly patienceMs?: number;
  readonly settleMs?: number;
  readonly get?: (url: URL, signal: AbortSignal) => Promise<PageText>;
};

/** A page as it came. `region`: whom the header `x-region` names. */
export type PageText = {readonly text: string; readonly region: string | null};

type Asking = ReadBackOptions & {readonly until: number};

const page = z.object({
  orders: z.array(z.object({id: z.union([z.number(), z.string()]), ref: z.string()})),
  next: z.union([z.number(), z.string()]).nullable(),
  region: z.unknown().optional(),
});
type Page = z.infer<typeof page> & {readonly server: string | null};

/*
 * The readings of a round, by the rows of their pages. They are made at the same time, and never in the same pages: a door that sends the same question
 * to the same server would let each of them end in the same way.
 */
const ROUND = [1000, 900, 800];
const RETRY_MS = 200;
const AGAIN_MS = 500;

/**
 * Reads every write of the run back through the door, more than once and over more than one connection. Readings that contradict each other or the log
 * (readings.ts) are made again for a while: who answers may be catching up. Throws when it could not be read to the end (`witness-read-back`, exit 69)
 * and when the contradiction stays (`witness-contradicted`, exit 69): a part of it, or another server's, would look like losses.
 */
export async function readBack(options: ReadBackOptions, log: WitnessLog): Promise<ReadBack> {
  const {clock, signal, url} = options;
  const asking = {...options, until: clock.now() + (options.deadlineMs ?? 30_000)};
  let settled: number | null = null;
  for (let evidence = NO_EVIDENCE; ; ) {
    evidence = withRound(evidence, await readRound(asking));
    // A page that hung has not been time in which anybody could catch up.
    settled ??= clock.now() + (options.settleMs ?? 8000);
    const {rows, why} = agree(log, evidence);
    if (rows !== null) return rows;
    if (clock.now() + AGAIN_MS >= settled) {
      throw unavailable('witness-contradicted', `It cannot be told which writes ${url} has: ${why}`, {
        suggestions: ['Find out which servers answer behind the front door, and whether one of them is no longer written to.'],
      });
    }
    await clock.sleep(AGAIN_MS, signal);
  }
}

/** If one reading fails the others are of no use, and are given up. */
async function readRound(asking: Asking): Promise<readonly Reading[]> {
  const over = new AbortController();
  const signal = AbortSignal.any([asking.signal, over.signal]);
  try {
    return await Promise.all(ROUND.map((pageRows) => readPages({...asking, signal}, pageRows)));
  } finally {
    over.abort();
  }
}

/** One reading, page by page in the order of ids. */
async function readPages(asking: Asking, pageRows: number): Promise<Reading> {
  const rows = new Map<string, number>();
  const servers = new Set<string>();
  let after: string | null = '0';
  while (after !== null) {
    const got: Page = await persistently(asking, pageUrl(asking, after, pageRows));
    for (const {ref} of got.orders) rows.set(ref, (rows.get(ref) ?? 0) + 1);
    if (got.server !== null) servers.add(got.server);
    after = got.next === null ? null : String(got.next);
  }
  return {rows, servers};
}

/** A page that fails is asked again for a while. One that hung has taken longer than that by itself: what counts is when it was asked for. */
async function persistently(asking: Asking, url: URL): Promise<Page> {
  const {clock, signal, patienceMs = 3000} = asking;
  for (let giveUpAt = Number.POSITIVE_INFINITY; ; ) {
    signal.throwIfAborted();
    const asked = clock.now();
    try {
      return await onePage(asking, url);
    } catch (error) {
      signal.throwIfAborted();
      giveUpAt = Math.min(giveUpAt, clock.now() + patienceMs);
      if (asked + RETRY_MS >= giveUpAt || clock.now() + RETRY_MS >= asking.until) throw unread(asking, error);
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

/** Pages that come, but never to an end, are bounded too. */
async function onePage(asking: Asking, url: URL): Promise<Page> {
  if (asking.clock.now() >= asking.until) throw new Error('there was no end of pages in time');
  const {text, region} = await (asking.get ?? overHttp(asking))(url, asking.signal);
  const got = page.parse(JSON.parse(text));
  return {...got, server: serverName(got.region) ?? region};
}

function unread({url}: Asking, cause: unknown): Error {
  return unavailable('witness-read-back', `The writes of the witness could not be read back from ${url}: ${messageOf(cause)}`, {
    cause,
    suggestions: ['Without them nobody can say what was lost. Resume the run when the service answers.'],
  });
}

function pageUrl(options: ReadBackOptions, after: string, pageRows: number): URL {
  const url = new URL(options.url);
  url.searchParams.set('prefix', `${options.run}-`);
  url.searchParams.set('after', after);
  url.searchParams.set('limit', String(pageRows));
  return url;
}

/* A connection for each page: one that was kept alive may lead to the region that was lost. */
function overHttp({pageDeadlineMs = 5000}: ReadBackOptions): (url: URL, signal: AbortSignal) => Promise<PageText> {
  return async (url, outer) => {
    const http = httpModule(url.protocol === 'https:');
    const signal = AbortSignal.any([outer, timeoutAwake(pageDeadlineMs)]);
    return await new Promise((resolve, reject) => {
      const request = http.get(url, {signal, agent: false}, (response) => {
        const {statusCode, headers} = response;
        const region = serverName(headers['x-region']);
        collect(response).then((text) => {
          if (statusCode === 200) resolve({text, region});
          else reject(new Error(`HTTP ${statusCode}`));
        }, reject);
      });
      request.on('error', reject);
    });
  };
}

async function collect(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
