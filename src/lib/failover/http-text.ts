import type {Dispatcher} from 'undici';
import {unlessAborted} from '../awake.ts';

/** Bodies beyond this are not read: a check looks at a small answer. */
const MOST_BYTES = 1_048_576;

/** One GET, with a connection of its own, and what it answered. Throws what undici throws when there is no answer. */
export async function httpText(url: string, signal: AbortSignal): Promise<{status: number; text: string}> {
  const {request} = await import('undici');
  return unlessAborted(request(url, {method: 'GET', headers: {connection: 'close'}, signal}).then(textOf), signal);
}

async function textOf({statusCode, body}: Dispatcher.ResponseData): Promise<{status: number; text: string}> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) break;
  }
  return {status: statusCode, text: Buffer.concat(chunks).toString('utf8')};
}
