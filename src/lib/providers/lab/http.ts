import {timeoutAwake} from '../../awake.ts';
import {messageOf, refused, unavailable, usageError} from '../../errors.ts';
import {httpModule} from '../../http-module.ts';

/** One call of the lab's HTTP API. `unreachable` is the code of the error when it does not answer, `who` names the other side for people. */
export type LabCall = {
  readonly url: string;
  readonly token: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly unreachable: string;
  readonly who: string;
};

/**
 * Asks the lab and answers its JSON. Throws RegionctlError: `unreachable` (exit 69) when there is no answer in time, the lab's own code when
 * it says no (exit 64 for a wrong value, 77 for a refusal, 69 for a failure). node:http instead of undici: it is loaded already and costs no start-up time.
 */
export async function callLab(call: LabCall): Promise<unknown> {
  const deadline = timeoutAwake(call.deadlineMs);
  const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
  const {status, text} = await send(call, signal).catch((error: unknown) => {
    call.signal?.throwIfAborted();
    const why = deadline.aborted ? `no answer within ${call.deadlineMs} ms` : messageOf(error);
    throw unavailable(call.unreachable, `${call.who} does not answer at ${call.url}: ${why}`, {cause: error});
  });
  const answer = parsed(text);
  if (status < 300) return answer;
  throw problemOf(call, status, answer);
}

async function send(call: LabCall, signal: AbortSignal): Promise<{status: number; text: string}> {
  const {request} = httpModule(false);
  const payload = call.body === undefined ? '' : JSON.stringify(call.body);
  const headers = {
    authorization: `Bearer ${call.token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(payload),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(call.path, call.url), {agent: false, method: call.method, headers, signal}, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({status: response.statusCode ?? 500, text}));
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function problemOf(call: LabCall, status: number, answer: unknown): Error {
  const error = memberOf(answer, 'error');
  const code = memberOf(error, 'code');
  const message = memberOf(error, 'message');
  const text = `${call.who}: ${typeof message === 'string' ? message : `${call.method} ${call.path} answered ${status}`}`;
  if (status === 400) return usageError(text);
  const make = status < 500 ? refused : unavailable;
  return make(typeof code === 'string' ? code : 'lab-failed', text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A member of an answer whose shape is not known yet. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
