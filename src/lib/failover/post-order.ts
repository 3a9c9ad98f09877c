import {messageOf} from '../errors.ts';

/** What came of one write through the front door. `region` is who answered, by the `x-region` header. */
export type WriteAnswer = {readonly ok: boolean; readonly region: string | null; readonly text: string};

/** Writes one numbered order. Never throws for what the service does. */
export async function postOrder(url: string, ref: string, signal: AbortSignal): Promise<WriteAnswer> {
  const {request} = await import('undici');
  try {
    const body = JSON.stringify({ref, item: 'verification', quantity: 1});
    const response = await request(url, {method: 'POST', headers: {'content-type': 'application/json'}, body, signal});
    const region = response.headers['x-region'];
    await response.body.dump();
    const ok = response.statusCode >= 200 && response.statusCode < 300;
    return {ok, region: typeof region === 'string' ? region : null, text: `HTTP ${response.statusCode}`};
  } catch (error) {
    return {ok: false, region: null, text: messageOf(error)};
  }
}
