import {once} from 'node:events';
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {timeoutAwake} from '../../awake.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure, failure} from '../tcp/connection-failure.ts';
import {expiryOf} from '../tls/expiry.ts';
import {secureOver} from '../tls/secure-over.ts';
import {prepare, type RedisTls} from './credentials.ts';
import {infoOf} from './info.ts';
import {judge, type Wanted} from './judge.ts';
import {refusalOf} from './refusal.ts';
import {encode, type Reply, repliesIn} from './resp.ts';

/** Where to ask, as whom, and what to expect. Without a password nobody logs in. */
export type RedisTarget = {
  readonly host: string;
  readonly port: number;
  /** null = the default user. */
  readonly user: string | null;
  readonly password: SecretRef | null;
  /** null = without TLS. */
  readonly tls: RedisTls | null;
  readonly wanted: Wanted;
  readonly timeoutMs: number;
};

/**
 * A fresh connection and one INFO each time, login included. Latency counts from the name lookup to the end of the answer.
 *
 * The protocol is our own (resp.ts): client libraries take noise for silence, and their import takes longer than a whole check. Measured in
 * docs/dependencies.md.
 */
export function redisProbe(target: RedisTarget, secrets: SecretVault): Probe {
  return {check: (signal) => check(target, secrets, signal)};
}

async function check(target: RedisTarget, secrets: SecretVault, signal: AbortSignal): Promise<ProbeResult> {
  const [{connect}, ready] = await Promise.all([import('node:net'), prepare(target, secrets)]);
  if ('trouble' in ready) return ready.trouble;
  const {host, port, user, tls, timeoutMs} = target;
  const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
  const peer = `${host}:${port}`;
  const started = performance.now();
  let plain: Socket | null = null;
  let secure: TLSSocket | null = null;
  let accepted = false;
  try {
    bounded.throwIfAborted();
    plain = connect({host, port, signal: bounded, noDelay: true});
    // Stays for the socket's life: an error after the answer must not become an uncaught one.
    plain.on('error', () => undefined);
    await once(plain, 'connect', {signal: bounded});
    accepted = true;
    if (tls !== null) secure = await secureOver(plain, {...ready, serverName: tls.serverName}, bounded);
    const info = await askInfo(secure ?? plain, {user, password: ready.password, peer, scrub: secrets.scrub});
    if (typeof info !== 'string') return info;
    const expires = secure === null ? null : expiryOf(secure, peer, tls?.minValidMs ?? 0).warning;
    return judge(infoOf(info), target.wanted, performance.now() - started, expires);
  } catch (error) {
    return connectionFailure(error, {peer, timeoutMs, signal: bounded, connected: accepted});
  } finally {
    secure?.destroy();
    plain?.destroy();
  }
}

type Asking = {
  readonly user: string | null;
  readonly password: string | null;
  readonly peer: string;
  readonly scrub: (text: string) => string;
};

/** The text of INFO, or why there is none. Login and question go out together: the way there and back is paid for once. */
async function askInfo(socket: Socket, asking: Asking): Promise<string | ProbeResult> {
  const {user, password} = asking;
  const login = password === null ? [] : [['AUTH', ...(user === null ? [] : [user]), password]];
  socket.write([...login, ['INFO']].map(encode).join(''));
  const replies = repliesIn(socket);
  if (password !== null) {
    const answer = answerOf((await replies.next()).value, 'AUTH', asking);
    if (typeof answer !== 'string') return answer;
  }
  return answerOf((await replies.next()).value, 'INFO', asking);
}

/** What is no answer is counted and never shown: it may be an echo of the password. */
function answerOf(reply: Reply | undefined, asked: 'AUTH' | 'INFO', {peer, scrub}: Asking): string | ProbeResult {
  if (reply === undefined) return {...failure('reset', `${peer} closed the connection before it answered`), connected: true};
  if (reply.kind === 'error') {
    const {code, says} = refusalOf(reply.text, asked, scrub);
    return failure(code, `${peer} ${says}`);
  }
  if (reply.kind === 'garbage') return failure('unexpected-answer', `${peer} said ${reply.bytes} bytes that are no answer of Redis`);
  if (reply.kind === (asked === 'AUTH' ? 'line' : 'text') && 'text' in reply && (asked === 'INFO' || reply.text === 'OK'))
    return reply.text;
  return failure('unexpected-answer', `${peer} answered ${asked} with something that is no answer of Redis to it`);
}
