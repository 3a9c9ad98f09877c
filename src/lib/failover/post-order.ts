import type {Dispatcher} from 'undici';
import {unlessAborted} from '../awake.ts';
import {messageOf} from '../errors.ts';

/** What came of one write through the front door. `region` is who answered, by the `x-region` header. */
export type WriteAnswer = {readonly ok: boolean; readonly region: string | null; readonly text: string};

async function answerOf({statusCode, headers, body}: Dispatcher.ResponseData): Promise<WriteAnswer> {
  const region = headers['x-region'];
  await body.dump();
  const ok = statusCode >= 200 && statusCode < 300;
  return {ok, region: typeof region === 'string' ? region : null, text: `HTTP ${statusCode}`};
}

/** Writes one numbered order. Never throws for what the service does. */
export async function postOrder(url: string, ref: string, signal: AbortSignal): Promise<WriteAnswer> {
  const {request} = await import('undici');
  try {
    const body = JSON.stringify({ref, item: 'verification', quantity: 1});
    const asked = request(url, {method: 'POST', headers: {'content-type': 'application/json'}, body, signal});
    return await unlessAborted(asked.then(answerOf), signal);
  } catch (error) {
    return {ok: false, region: null, text: messageOf(error)};
  }
}
