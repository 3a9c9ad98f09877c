import {once} from 'node:events';
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {timeoutAwake} from '../../awake.ts';
import {isRegionctlError, messageOf} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure, failure} from '../tcp/connection-failure.ts';
import {expiryOf} from '../tls/expiry.ts';
import {type OwnCertificate, readOwn} from '../tls/own-certificate.ts';
import {readCa} from '../tls/read-ca.ts';
import {secureOver} from '../tls/secure-over.ts';
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

/** `caFile` null = the system's authorities; `own` is shown where the server asks for it, as Redis does unless told otherwise. */
export type RedisTls = {
  readonly serverName: string;
  readonly caFile: string | null;
  readonly own: {readonly file: string; readonly key: SecretRef} | null;
  readonly minValidMs: number;
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

/** What a check needs before it connects. */
type Ready = {readonly password: string | null; readonly ca: string | null; readonly own: OwnCertificate | null};

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

/** Secrets and files are read anew each time: they may have been renewed. */
async function prepare({password, tls}: RedisTarget, secrets: SecretVault): Promise<Ready | {readonly trouble: ProbeResult}> {
  try {
    const own = tls?.own ?? null;
    const [revealed, trusted, shown] = await Promise.all([
      password === null ? null : secrets.reveal(password),
      readCa(tls?.caFile ?? null),
      own === null ? null : secrets.reveal(own.key).then((key) => readOwn(own.file, key)),
    ]);
    if ('trouble' in trusted) return trusted;
    if (shown !== null && 'trouble' in shown) return shown;
    return {password: revealed, ca: trusted.ca, own: shown};
  } catch (error) {
    if (!isRegionctlError(error)) throw error;
    return {trouble: {ok: null, latencyMs: null, code: error.code, detail: messageOf(error)}};
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
  const isAnswer = asked === 'AUTH' ? reply.kind === 'line' && reply.text === 'OK' : reply.kind === 'text';
  return isAnswer ? reply.text : failure('unexpected-answer', `${peer} answered ${asked} with something that is no answer of Redis to it`);
}
