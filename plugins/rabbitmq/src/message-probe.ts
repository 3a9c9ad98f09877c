import {resolve} from 'node:path';
import type {Channel, ChannelModel, ConfirmChannel} from 'amqplib';
import {
  connectionFailure,
  type EndpointPlace,
  isRegionctlError,
  messageOf,
  type Probe,
  type ProbeResult,
  type ProviderContext,
  readCa,
  timeoutAwake,
} from 'regionctl/kit';
import {OWN_TROUBLE, plain} from './management.ts';
import type {MessageConfig} from './providers.ts';

/** A broker's reply codes, as words for scripts. */
const REPLY_CODES: Readonly<Record<number, string>> = {
  312: 'unroutable',
  320: 'closed-by-operator',
  403: 'unauthorized',
  404: 'not-found',
  405: 'locked',
  406: 'precondition-failed',
  530: 'not-allowed',
  541: 'internal-error',
};

/**
 * Numbered messages that are sent with confirms to a queue of their own and consumed again: all must come back, once and in order. The queue is
 * exclusive, so that the broker removes it with the connection, however this ends. Latency counts from the first byte of the connection to the last
 * message.
 */
export function messageProbe(config: MessageConfig, {timeoutMs}: EndpointPlace, context: ProviderContext): Probe {
  return {check: (signal) => check(config, timeoutMs, context, signal)};
}

/** How far a check has come, for whoever has to say why it got no further. */
type Progress = {connection: ChannelModel | null; connectMs: number | null; confirmed: boolean; readonly back: number[]};

async function check(
  config: MessageConfig,
  timeoutMs: number,
  {clock, secrets, baseDir}: ProviderContext,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const {host, port} = config.address;
  const peer = `${host}:${port}`;
  const progress: Progress = {connection: null, connectMs: null, confirmed: false, back: []};
  const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
  const over = new AbortController();
  const began = clock.now();
  try {
    bounded.throwIfAborted();
    const trusted = await readCa(config.tls && config.ca !== undefined ? resolve(baseDir, config.ca) : null);
    if ('trouble' in trusted) return trusted.trouble;
    const password = await secrets.reveal(config.password);
    const connection = await before(
      bounded,
      openConnection(config, {password, ca: trusted.ca, signal: AbortSignal.any([bounded, over.signal])}),
    );
    progress.connection = connection;
    progress.connectMs = clock.now() - began;
    await before(bounded, Promise.race([roundTrip(connection, config.messages, progress), brokenBy(connection)]));
    return judge(config.messages, progress, {peer, latencyMs: clock.now() - began});
  } catch (error) {
    return failed(error, {config, peer, timeoutMs, signal: bounded, progress, scrub: secrets.scrub});
  } finally {
    leave(progress.connection, over);
  }
}

type Secure = {readonly password: string; readonly ca: string | null; readonly signal: AbortSignal};

async function openConnection(config: MessageConfig, {password, ca, signal}: Secure): Promise<ChannelModel> {
  const {connect} = await import('amqplib');
  const {host, port} = config.address;
  const server = {hostname: host, port, username: config.user, password, vhost: encodeURIComponent(config.vhost)};
  const socket = {signal, noDelay: true, ...(ca === null ? {} : {ca})};
  const connection = await connect({...server, protocol: config.tls ? 'amqps' : 'amqp'}, socket);
  // Whoever waits for the connection hears of it; nobody else may be left to.
  connection.on('error', () => undefined);
  return connection;
}

async function roundTrip(connection: ChannelModel, wanted: number, progress: Progress): Promise<void> {
  const channel = await connection.createConfirmChannel();
  const failing = brokenBy(channel);
  const {queue} = await channel.assertQueue('', {exclusive: true, autoDelete: true, durable: false});
  const arrived = new Promise<void>((resolve) => {
    channel
      .consume(queue, (message) => {
        if (message === null) return;
        progress.back.push(numberIn(message.content));
        channel.ack(message);
        if (progress.back.length >= wanted) resolve();
      })
      .catch(() => undefined);
  });
  publish(channel, queue, wanted);
  const confirmed = channel.waitForConfirms().then(() => {
    progress.confirmed = true;
  });
  await Promise.race([Promise.all([confirmed, arrived]), failing]);
  // One more question on the same channel: what was delivered before its answer has been counted by then.
  await channel.checkQueue(queue);
}

function publish(channel: ConfirmChannel, queue: string, wanted: number): void {
  for (let number = 0; number < wanted; number += 1) channel.sendToQueue(queue, Buffer.from(String(number)), {mandatory: true});
}

const numberIn = (content: Buffer): number => (/^\d{1,4}$/.test(content.toString()) ? Number(content.toString()) : -1);

/** What ends the work before it is done: never resolves. A broker that is short of memory or disk says so, and then reads nothing more. */
function brokenBy(emitter: ChannelModel | Channel): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    emitter.on('error', reject);
    emitter.on('close', (error?: Error) => reject(error ?? new Error('the broker closed the connection')));
    emitter.on('blocked', (reason: string) => reject(Object.assign(new Error(`publishers are stopped: ${reason}`), {code: 'blocked'})));
    emitter.on('return', () => reject(Object.assign(new Error('a message could not be routed to its own queue'), {code: 312})));
  });
  // It may come when nobody waits for it any more.
  broken.catch(() => undefined);
  return broken;
}

type Timing = {readonly peer: string; readonly latencyMs: number};

function judge(wanted: number, {back, connectMs}: Progress, {peer, latencyMs}: Timing): ProbeResult {
  const facts = {messages: wanted, connectMs};
  const twice = back.filter((number, index) => back.indexOf(number) !== index);
  if (twice.length > 0)
    return {ok: false, latencyMs, code: 'duplicate', detail: `${peer} delivered ${twice.length} of ${wanted} messages twice`, facts};
  const wrong = back.findIndex((number, index) => number !== index);
  if (wrong >= 0)
    return {ok: false, latencyMs, code: 'out-of-order', detail: `${peer} delivered message ${back[wrong]} in place of ${wrong}`, facts};
  const detail = `${peer} gave ${wanted} ${wanted === 1 ? 'message' : 'messages'} back, once and in order, in ${latencyMs.toFixed(1)} ms`;
  return {ok: true, latencyMs, code: 'ok', detail, facts};
}

type Failure = {
  readonly config: MessageConfig;
  readonly peer: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly scrub: (text: string) => string;
};

/** Our own cancellation and a missing secret say nothing about the broker. */
function failed(error: unknown, {config, peer, timeoutMs, signal, progress, scrub}: Failure): ProbeResult {
  if (isRegionctlError(error))
    return {ok: OWN_TROUBLE.has(error.code) ? null : false, latencyMs: null, code: error.code, detail: error.message};
  const failure = connectionFailure(error, {peer, timeoutMs, signal});
  if (signal.aborted) {
    if (failure.ok === null || progress.connection === null) return failure;
    const {back, confirmed} = progress;
    const stage = confirmed ? 'confirmed all' : 'did not confirm all';
    return {...failure, detail: `${peer} ${stage} of ${config.messages} messages and gave ${back.length} back within ${timeoutMs} ms`};
  }
  if (/got <ConnectionClose/.test(messageOf(error)))
    return {
      ok: false,
      latencyMs: null,
      code: 'not-allowed',
      detail: `${peer} does not let the user ${config.user} into the virtual host ${config.vhost}`,
    };
  const reply = replyOf(error);
  if (reply === null) return failure;
  return {ok: false, latencyMs: null, code: reply, detail: `${peer}: ${scrub(plain(messageOf(error)))}`};
}

/** The broker's own reason as a word; null = the connection itself failed. */
function replyOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'blocked') return 'blocked';
  if (typeof code === 'number') return REPLY_CODES[code] ?? 'amqp-error';
  // amqplib tells a refused login only by its message.
  const [, number] = /Handshake terminated by server: (\d+)/.exec(messageOf(error)) ?? [];
  if (number !== undefined) return REPLY_CODES[Number(number)] ?? 'amqp-error';
  return /message nacked/i.test(messageOf(error)) ? 'nacked' : null;
}

/** What `work` answers, or what the signal was aborted with: amqplib knows no deadline of its own. */
async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), {once: true, signal: over.signal});
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Nobody waits for the goodbye, and the socket does not outlive it. */
function leave(connection: ChannelModel | null, over: AbortController): void {
  if (connection === null) {
    over.abort();
    return;
  }
  const end = setTimeout(() => over.abort(), 500);
  end.unref();
  connection
    .close()
    .catch(() => undefined)
    .finally(() => {
      clearTimeout(end);
      over.abort();
    });
}
