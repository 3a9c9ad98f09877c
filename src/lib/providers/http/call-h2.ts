import type {ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders as Http2Headers} from 'node:http2';
import type {TLSSocket} from 'node:tls';
import {type Answer, type AnswerBody, type Call, type CallOptions, hostOf, trustOf} from './call.ts';
import {phaseMarks} from './phases.ts';

/** What a server that speaks no HTTP/2 fails with. */
export const NO_HTTP2 = 'NO_HTTP2';

/** By HTTP/2: over TLS as it is negotiated (h2 or nothing), without TLS with prior knowledge. */
export async function callHttp2({url, headers, ca, signal}: CallOptions): Promise<Call> {
  const [http2, net, tls] = await Promise.all([import('node:http2'), import('node:net'), import('node:tls')]);
  signal.throwIfAborted();
  const marks = phaseMarks();
  const isSecure = url.protocol === 'https:';
  const [host, port] = [hostOf(url), Number(url.port === '' ? (isSecure ? 443 : 80) : url.port)];
  const socket = isSecure
    ? tls.connect({host, port, ALPNProtocols: ['h2'], ...trustOf(url, ca, net.isIP)})
    : net.connect({host, port, noDelay: true});
  marks.watch(socket, isSecure);
  const session = http2.connect(url.origin, {createConnection: () => socket});
  const end = (): void => {
    session.destroy();
    socket.destroy();
  };
  const cancel = (): void => end();
  signal.addEventListener('abort', cancel, {once: true});
  const secure = isSecure ? (socket as TLSSocket) : null;
  const answer = answerOf(session, {url, headers, secure}).then((value) => {
    marks.answered();
    return value;
  });
  // It may fail when nobody waits for it any more.
  answer.catch(() => undefined);
  return {
    answer,
    phases: marks.read,
    connected: marks.connected,
    end: () => {
      signal.removeEventListener('abort', cancel);
      end();
    },
  };
}

type Asked = Pick<CallOptions, 'url' | 'headers'> & {readonly secure: TLSSocket | null};

function answerOf(session: ClientHttp2Session, {url, headers, secure}: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(named(error));
    session.on('error', fail);
    secure?.on('error', fail);
    session.once('close', () => fail(Object.assign(new Error('the connection was closed'), {code: 'ECONNRESET'})));
    session.once('connect', () => {
      if (secure !== null && secure.alpnProtocol !== 'h2') return reject(noHttp2());
      const stream = requested(session, {':method': 'GET', ':path': `${url.pathname}${url.search}`, ...headers});
      // Thrown in a listener it would end the program.
      if (stream instanceof Error) return reject(stream);
      stream.on('error', fail);
      stream.once('response', (answered: Http2Headers & {':status'?: number}) => {
        const plain = Object.fromEntries(Object.entries(answered).filter(([name]) => !name.startsWith(':')));
        resolve({statusCode: answered[':status'] ?? 0, headers: plain, body: bodyOf(stream), secure});
      });
    });
  });
}

/** The request, or why a header of it cannot be sent. */
function requested(session: ClientHttp2Session, headers: Readonly<Record<string, string>>): ClientHttp2Stream | Error {
  try {
    // In small letters: beside a `Host` Node would say the URL's own host as well.
    const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    return session.request(named, {endStream: true});
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** By events: an iterator costs more than the answer. */
function bodyOf(stream: ClientHttp2Stream): AnswerBody {
  return {
    read: (take) =>
      new Promise((resolve, reject) => {
        stream.on('data', (chunk: Buffer) => take(chunk) && resolve());
        stream.once('end', resolve);
        stream.once('error', reject);
        stream.once('close', () => reject(Object.assign(new Error('the answer was cut off'), {code: 'ECONNRESET'})));
      }),
  };
}

const noHttp2 = (): Error => Object.assign(new Error('the server does not speak HTTP/2'), {code: NO_HTTP2});

/** A server that knows no h2 refuses the handshake, or answers in its own words, which are none to HTTP/2. */
function named(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  return /NO_APPLICATION_PROTOCOL|ERR_HTTP2/.test(code) ? noHttp2() : error;
}
