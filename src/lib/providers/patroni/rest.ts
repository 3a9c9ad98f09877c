import type {Agent} from 'undici';
import type {z} from 'zod';
import {timeoutAwake, unlessAborted} from '../../awake.ts';
import {isRegionctlError, messageOf, unavailable} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import {codeOf, troubleOf} from '../postgres/trouble.ts';

/** One Patroni's REST API. `member` is its name in messages. */
export type RestPlace = {readonly member: string; readonly url: string};

/** Who may use the unsafe part of the API; null = it is open. */
export type RestLogin = {readonly user: string; readonly password: SecretRef};

/** How long one request is waited for (default 2000 ms, as Patroni waits for its peers), and what cuts it short. */
export type RestLimits = {readonly timeoutMs?: number; readonly signal: AbortSignal};

/** What a Patroni answered to an order: its status and its own words. */
export type RestReply = {readonly status: number; readonly says: string};

/**
 * The REST API of the members. A request that is not answered throws a RegionctlError (exit 69) with the reason as its code (refused, timeout,
 * reset, dns, unreachable, aborted, bad-answer), and names member and URL.
 */
export type Rest = {
  /** Reads one document. The password is not sent. */
  read<T>(place: RestPlace, path: string, shape: z.ZodType<T>, limits: RestLimits): Promise<T>;
  /** Gives one order, with the login. Any status is an answer, but 401 and 403 throw `patroni-auth`. */
  order(place: RestPlace, path: string, body: Readonly<Record<string, unknown>>, limits: RestLimits): Promise<RestReply>;
  close(): Promise<void>;
};

const TIMEOUT_MS = 2000;
/** Patroni answers an order with one line. */
const LINE_CHARACTERS = 300;

type Request = {readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: string; readonly headers: Record<string, string>};

/** Connections are opened when they are first needed. */
export function createRest(login: RestLogin | null, secrets: SecretVault): Rest {
  let agent: Promise<Agent> | null = null;
  const closing = new AbortController();
  const connections = (): Promise<Agent> => {
    agent ??= import('undici').then(({Agent}) => new Agent({keepAliveTimeout: 1000}));
    return agent;
  };
  const send = async (place: RestPlace, call: Request, {timeoutMs = TIMEOUT_MS, signal}: RestLimits) => {
    // Loading a library is no time of a server's: the deadline begins when it can be asked.
    const {request} = await import('undici');
    const deadline = timeoutAwake(Math.max(1, Math.ceil(timeoutMs)));
    const bounded = AbortSignal.any([signal, deadline, closing.signal]);
    try {
      bounded.throwIfAborted();
      const {path, ...rest} = call;
      const dispatcher = await connections();
      // The signal is the only deadline: undici's own would end an order that Patroni works on for half a minute.
      const asked = request(`${place.url}${path}`, {...rest, dispatcher, signal: bounded, headersTimeout: 0, bodyTimeout: 0});
      const answer = asked.then(async ({statusCode, body}) => ({status: statusCode, text: await body.text()}));
      return await unlessAborted(answer, bounded);
    } catch (error) {
      throw restError(place, error, {deadline, timeoutMs, signal, closing: closing.signal});
    }
  };
  return {
    read: async (place, path, shape, limits) => {
      const {status, text} = await send(place, {method: 'GET', path, headers: {accept: 'application/json'}}, limits);
      return parsed(place, path, {status, text}, shape);
    },
    order: async (place, path, body, limits) => {
      const headers = {'content-type': 'application/json', ...(await authorization(login, secrets))};
      const {status, text} = await send(place, {method: 'POST', path, headers, body: JSON.stringify(body)}, limits);
      const says = secrets.scrub(lineOf(text));
      if (status === 401 || status === 403) {
        throw unavailable('patroni-auth', `${where(place)} refuses the order (${status}): ${says}.`, {
          suggestions: ['Set restUser and restPassword of the store, and look at restapi.authentication and restapi.allowlist of Patroni.'],
        });
      }
      return {status, says};
    },
    close: async () => {
      closing.abort();
      await (await agent)?.destroy();
    },
  };
}

/** How messages name a member's Patroni. */
export const where = ({member, url}: RestPlace): string => `Patroni of ${member} (${url})`;

async function authorization(login: RestLogin | null, secrets: SecretVault): Promise<Record<string, string>> {
  if (login === null) return {};
  const pair = `${login.user}:${await secrets.reveal(login.password)}`;
  return {authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`};
}

function parsed<T>(place: RestPlace, path: string, {status, text}: {status: number; text: string}, shape: z.ZodType<T>): T {
  const result = status < 300 ? shape.safeParse(jsonOf(text)) : null;
  if (result?.success === true) return result.data;
  const why =
    result === null ? `${status}: ${lineOf(text)}` : `something else than Patroni does (${result.error.issues[0]?.message ?? 'no JSON'})`;
  throw unavailable('bad-answer', `${where(place)} answered GET ${path} with ${why}.`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lineOf(text: string): string {
  const line = text
    .replace(/<[^>]*>|\p{Cc}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > LINE_CHARACTERS ? `${line.slice(0, LINE_CHARACTERS)}…` : line;
}

function restError(
  place: RestPlace,
  error: unknown,
  {deadline, timeoutMs, signal, closing}: {deadline: AbortSignal; timeoutMs: number; signal: AbortSignal; closing: AbortSignal},
): Error {
  if (isRegionctlError(error)) return error;
  if (deadline.aborted || isTimeout(signal.reason)) {
    return unavailable('timeout', `${where(place)} did not answer within ${Math.ceil(timeoutMs)} ms.`, {cause: error});
  }
  if (signal.aborted || closing.aborted)
    return unavailable('cancelled', `${where(place)} was not waited for: the call was cancelled.`, {cause: error});
  const {code, says} = codeOf(error).startsWith('UND_ERR')
    ? {code: 'reset', says: `broke the connection off: ${messageOf(error)}`}
    : troubleOf(error);
  return unavailable(code, `${where(place)} ${says}.`, {cause: error});
}

const isTimeout = (reason: unknown): boolean => reason instanceof Error && reason.name === 'TimeoutError';
