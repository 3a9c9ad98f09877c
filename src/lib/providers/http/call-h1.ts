import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {type Answer, type AnswerBody, type Call, type CallOptions, hostOf, mergedHeaders, trustOf} from './call.ts';
import {Http1Reader} from './http1-reader.ts';
import {netModule, tlsModule} from './node-modules.ts';
import {phaseMarks} from './phases.ts';

/** Every plain connection reads into it: what came is worked off before anything else is read. A buffer for each would be most of what a check costs. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * By HTTP/1.1, on a plain socket. Node's own client and undici keep agents, streams and parsers for what is one request and one answer: at 200 checks a
 * second they cost 9 to 10 % of a core, this a quarter of it.
 */
export async function callHttp1({url, headers, ca, signal}: CallOptions): Promise<Call> {
  const isSecure = url.protocol === 'https:';
  const net = await netModule();
  const tls = isSecure ? await tlsModule() : null;
  const request = requestText(url, headers);
  signal.throwIfAborted();
  const marks = phaseMarks();
  const place = {host: hostOf(url), port: Number(url.port === '' ? (isSecure ? 443 : 80) : url.port)};
  const exchange = new Exchange(marks.answered);
  const plain = (): Socket => net.connect({...place, onread: {buffer: READ_BUFFER, callback: (length) => exchange.feedCopy(length)}});
  // No protocol is offered (ALPN), as ever: who lists h2 alone refuses whoever offers only another.
  const socket = tls === null ? plain() : tls.connect({...place, ...trustOf(url, ca, net.isIP)});
  marks.watch(socket, tls !== null);
  exchange.follow(socket, tls === null ? null : (socket as TLSSocket));
  const cancel = (): void => exchange.fail(signal.reason);
  signal.addEventListener('abort', cancel, {once: true});
  // Written before it is connected it would be queued, and cost a list and a call more.
  if (tls === null) socket.once('connect', () => socket.write(request, 'latin1'));
  else socket.write(request, 'latin1');
  return {
    answer: exchange.answer,
    phases: marks.read,
    connected: marks.connected,
    end: () => {
      signal.removeEventListener('abort', cancel);
      socket.destroy();
    },
  };
}

/** The request as it is sent. Throws for a header that could not be one: it may not become two. */
function requestText({host, pathname, search, username, password}: URL, headers: Readonly<Record<string, string>>): string {
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const own = {Host: host, Connection: 'close', ...(username === '' && password === '' ? {} : {Authorization: `Basic ${login}`})};
  const all = Object.entries(mergedHeaders(own, headers));
  for (const [name, value] of all) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || /[^\t\x20-\x7E\x80-\xFF]/.test(value))
      throw Object.assign(new Error(`the header ${name} cannot be sent`), {code: 'ERR_INVALID_CHAR'});
  }
  return `GET ${pathname}${search} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** One request's answer, from the first byte to the last. */
class Exchange implements AnswerBody {
  readonly answer: Promise<Answer>;
  readonly #reader: Http1Reader;
  readonly #settle: {resolve(answer: Answer): void; reject(error: unknown): void};
  #secure: TLSSocket | null = null;
  #waiting: Buffer[] = [];
  #failed: {readonly error: unknown} | null = null;
  #read: {take(bytes: Buffer): boolean; resolve(): void; reject(error: unknown): void} | null = null;

  /** `answered` is called when the head has come. */
  constructor(answered: () => void) {
    const {promise, resolve, reject} = Promise.withResolvers<Answer>();
    this.answer = promise;
    this.#settle = {resolve, reject};
    // It may fail when nobody waits for it any more.
    promise.catch(() => undefined);
    this.#reader = new Http1Reader(
      (head) => {
        answered();
        resolve({...head, body: this, secure: this.#secure});
      },
      (bytes) => this.#give(bytes),
    );
  }

  /** `secure`: it comes over this; null = without TLS, and `feedCopy` is called for what comes. */
  follow(socket: Socket, secure: TLSSocket | null): void {
    this.#secure = secure;
    if (secure !== null) secure.on('data', (bytes: Buffer) => this.#step(() => this.#reader.feed(bytes)));
    socket.on('end', () => this.#step(() => this.#reader.close()));
    socket.on('error', (error) => this.#broke(error));
    socket.on('close', () => this.fail(Object.assign(new Error('the connection was closed'), {code: 'ECONNRESET'})));
  }

  /** So many bytes came into the shared buffer, which the next connection writes over. */
  feedCopy(length: number): true {
    const bytes = Buffer.from(READ_BUFFER.subarray(0, length));
    this.#step(() => this.#reader.feed(bytes));
    return true;
  }

  /** Nothing more will come. After the end of the answer it changes nothing. */
  fail(error: unknown): void {
    if (this.#failed !== null || this.#reader.isDone) return;
    this.#failed = {error};
    this.#settle.reject(error);
    this.#read?.reject(error);
  }

  read(take: (bytes: Buffer) => boolean): Promise<void> {
    const {promise, resolve, reject} = Promise.withResolvers<void>();
    this.#read = {take, resolve, reject};
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) this.#give(bytes);
    if (this.#reader.isDone) resolve();
    else if (this.#failed !== null) reject(this.#failed.error);
    return promise;
  }

  /** Who answers without having read the request ends with a reset, as small scripts do: where the end of the connection is the answer's, it is one. */
  #broke(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' && this.#reader.endsWithConnection) this.#step(() => this.#reader.close());
    else this.fail(error);
  }

  #step(read: () => void): void {
    if (this.#failed !== null) return;
    try {
      read();
      if (this.#reader.isDone) this.#read?.resolve();
    } catch (error) {
      this.fail(error);
    }
  }

  #give(bytes: Buffer): void {
    if (this.#read === null) this.#waiting.push(bytes);
    else if (this.#read.take(bytes)) this.#read.resolve();
  }
}
