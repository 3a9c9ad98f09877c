import {timeoutAwake, unlessAborted} from '../../awake.ts';
import {messageOf, unavailable} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Notifier} from '../../ports/notifier.ts';

/** Where notices are posted. `timeoutMs` is the deadline of one delivery, with its second attempt. */
export type Webhook = {
  readonly url: string;
  readonly token: SecretRef | null;
  readonly timeoutMs: number;
  readonly secrets: SecretVault;
};

type Answer = {readonly status: number; readonly text: string};

/** Of an answer no more than this is read and shown. */
const ANSWER_BYTES = 200;

/**
 * Posts each notice as JSON over a connection of its own. 2xx = delivered. Any other answer throws `notice-refused`, no answer in time
 * `notice-undelivered` (both exit 69), an aborted signal its reason. A connection that fails is tried once more; a redirect is not followed,
 * because the token is for this address only. Of the address no more than host and port are told: its path may be a secret.
 */
export function webhookNotifier(hook: Webhook): Notifier {
  return {
    async deliver(notice, signal) {
      signal.throwIfAborted();
      const headers = {'content-type': 'application/json', 'user-agent': 'regionctl', ...(await authorization(hook))};
      // After the token was revealed: only what was revealed can be taken out.
      const body = hook.secrets.scrub(JSON.stringify(notice));
      const deadline = timeoutAwake(hook.timeoutMs);
      const bounded = AbortSignal.any([signal, deadline]);
      const where = new URL(hook.url).host;
      const answer = await post(hook.url, {body, headers, signal: bounded}).catch((error: unknown) => {
        signal.throwIfAborted();
        const why = deadline.aborted ? `no answer within ${hook.timeoutMs} ms` : messageOf(error);
        throw unavailable('notice-undelivered', hook.secrets.scrub(`${where} was not told: ${why}`), {cause: error});
      });
      if (delivered(answer.status)) return;
      throw unavailable('notice-refused', hook.secrets.scrub(`${where} answered ${answer.status}${remark(answer)}`));
    },
  };
}

async function authorization({token, secrets}: Webhook): Promise<Record<string, string>> {
  return token === null ? {} : {authorization: `Bearer ${await secrets.reveal(token)}`};
}

type Post = {readonly body: string; readonly headers: Record<string, string>; readonly signal: AbortSignal};

async function post(url: string, content: Post): Promise<Answer> {
  const {Agent, request} = await import('undici');
  const attempt = async (): Promise<Answer> => {
    const dispatcher = new Agent();
    try {
      const {statusCode, body} = await unlessAborted(request(url, {method: 'POST', dispatcher, ...content}), content.signal);
      // Closing the connection ends the body, too: what is left of it is of no interest.
      body.on('error', () => undefined);
      return {status: statusCode, text: delivered(statusCode) ? '' : await beginning(body)};
    } finally {
      await dispatcher.destroy();
    }
  };
  try {
    return await attempt();
  } catch (error) {
    if (content.signal.aborted) throw error;
    return attempt();
  }
}

function delivered(status: number): boolean {
  return status >= 200 && status < 300;
}

/** What the other side says of its refusal, as far as it can be read. */
async function beginning(body: AsyncIterable<Buffer>): Promise<string> {
  let text = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      text = Buffer.concat([text, chunk]);
      if (text.length >= ANSWER_BYTES) break;
    }
  } catch {
    // The status has told already that it was refused.
  }
  return text.subarray(0, ANSWER_BYTES).toString('utf8');
}

function remark({status, text}: Answer): string {
  if (status >= 300 && status < 400) return ', a redirect, and redirects are not followed';
  const line = text.replace(/\p{Cc}+/gu, ' ').trim();
  return line === '' ? '' : `: ${line}`;
}
