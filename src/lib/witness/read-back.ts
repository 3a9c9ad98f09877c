import type {IncomingMessage} from 'node:http';
import {z} from 'zod';
import {timeoutAwake} from '../awake.ts';
import {messageOf, unavailable} from '../errors.ts';
import type {Clock} from '../ports/clock.ts';

/** `deadlineMs` bounds the whole reading (default 30 s), `pageDeadlineMs` one request (default 5 s), `patienceMs` a page that keeps failing (default 3 s). */
export type ReadBackOptions = {
  readonly url: string;
  readonly run: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly deadlineMs?: number;
  readonly pageDeadlineMs?: number;
  readonly patienceMs?: number;
};

/** How many rows each reference of the run has. */
export type ReadBack = ReadonlyMap<string, number>;

const page = z.object({
  orders: z.array(z.object({id: z.union([z.number(), z.string()]), ref: z.string()})),
  next: z.union([z.number(), z.string()]).nullable(),
});
const PAGE_ROWS = 1000;
const RETRY_MS = 200;

/**
 * Reads every write of the run back, page by page in the order of ids. A page that fails is asked again for a while.
 * Throws `witness-read-back` (exit 69) when it could not be read to the end: a part of it would look like losses.
 */
export async function readBack(options: ReadBackOptions): Promise<ReadBack> {
  const until = options.clock.now() + (options.deadlineMs ?? 30_000);
  const counts = new Map<string, number>();
  let after: string | null = '0';
  while (after !== null) {
    const patience = options.clock.now() + (options.patienceMs ?? 3000);
    const got: z.infer<typeof page> = await persistently(options, after, Math.min(until, patience));
    for (const {ref} of got.orders) counts.set(ref, (counts.get(ref) ?? 0) + 1);
    after = got.next === null ? null : String(got.next);
  }
  return counts;
}

async function persistently(options: ReadBackOptions, after: string, until: number): Promise<z.infer<typeof page>> {
  for (;;) {
    options.signal.throwIfAborted();
    try {
      return page.parse(JSON.parse(await get(pageUrl(options, after), options)));
    } catch (error) {
      options.signal.throwIfAborted();
      if (options.clock.now() + RETRY_MS >= until) {
        throw unavailable(
          'witness-read-back',
          `The writes of the witness could not be read back from ${options.url}: ${messageOf(error)}`,
          {
            cause: error,
            suggestions: ['Without them nobody can say what was lost. Resume the run when the service answers.'],
          },
        );
      }
      await options.clock.sleep(RETRY_MS, options.signal);
    }
  }
}

function pageUrl(options: ReadBackOptions, after: string): URL {
  const url = new URL(options.url);
  url.searchParams.set('prefix', `${options.run}-`);
  url.searchParams.set('after', after);
  url.searchParams.set('limit', String(PAGE_ROWS));
  return url;
}

/* A connection for each page: one that was kept alive may lead to the region that was lost. */
async function get(url: URL, options: ReadBackOptions): Promise<string> {
  const http = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const signal = AbortSignal.any([options.signal, timeoutAwake(options.pageDeadlineMs ?? 5000)]);
  return await new Promise((resolve, reject) => {
    const request = http.get(url, {signal, agent: false}, (response) => {
      collect(response).then((text) => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`HTTP ${response.statusCode}`));
      }, reject);
    });
    request.on('error', reject);
  });
}

async function collect(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
