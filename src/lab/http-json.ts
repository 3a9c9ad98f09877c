import {timingSafeEqual} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {isRegionctlError, messageOf} from '../lib/errors.ts';
import {EXIT} from '../lib/exit-codes.ts';

const LARGEST_BODY = 64 * 1024;

/** The request's body as JSON; undefined when it is empty. Throws when it is too large or no JSON. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > LARGEST_BODY) throw new SyntaxError(`the body is larger than ${LARGEST_BODY} bytes`);
  }
  return text === '' ? undefined : JSON.parse(text);
}

/** Answers `body` as JSON, unless an answer was begun or nobody listens any more. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {'content-type': 'application/json', ...headers}).end(JSON.stringify(body));
}

/** Answers an error as `{error: {code, message}}`, with the status that goes with our exit code. */
export function sendProblem(response: ServerResponse, error: unknown): void {
  if (!isRegionctlError(error)) {
    sendJson(response, 500, {error: {code: 'lab-failed', message: messageOf(error)}});
    return;
  }
  const status = error.exit === EXIT.usage ? 400 : error.exit === EXIT.refused ? 409 : 503;
  sendJson(response, status, {error: {code: error.code, message: error.message}});
}

/** Whether the request carries `Authorization: Bearer <token>`. */
export function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
