import fc from 'fast-check';
import {expect, test} from 'vitest';
import {type Head, Http1Reader} from '../../../src/lib/providers/http/http1-reader.ts';

type Seen = {status: number | null; body: string; code: string | null; done: boolean};

function read(parts: readonly Buffer[]): Seen {
  const seen: Seen = {status: null, body: '', code: null, done: false};
  const reader = new Http1Reader(
    (head: Head) => {
      seen.status = head.statusCode;
    },
    (bytes) => {
      seen.body += bytes.toString('latin1');
    },
  );
  try {
    for (const part of parts) reader.feed(part);
    reader.close();
  } catch (error) {
    seen.code = String(Object(error).code);
  }
  return {...seen, done: reader.isDone};
}

const ANSWERS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n0002\r\nlo\r\n0\r\nX: y\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nhello',
];

test.each(ANSWERS)('%j reads the same however it is cut', (text) => {
  const all = Buffer.from(text, 'latin1');
  const whole = {status: 200, body: 'hello', code: null, done: true};
  expect(read([...all].map((byte) => Buffer.from([byte])))).toEqual(whole);
  fc.assert(
    fc.property(fc.array(fc.nat(all.length)), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), all.length];
      expect(read(at.slice(1).map((end, n) => all.subarray(at[n], end)))).toEqual(whole);
    }),
  );
});

test.each([
  ['HTTP/1.7 200 OK\r\n\r\n', 'HPE_INVALID_STATUS'],
  ['HTTP/2 200\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 'ECONNRESET'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe', 'ECONNRESET'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'HPE_INVALID_CHUNK_SIZE'],
  ['HTTP/1.1 200 OK\r\nA: b', 'ECONNRESET'],
  [`HTTP/1.1 200 OK\r\nA: ${'b'.repeat(1024 * 1024)}`, 'HPE_HEADER_OVERFLOW'],
  ['HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
])('a broken answer has its code (%#)', (text, code) => {
  expect(read([Buffer.from(text, 'latin1')]).code).toBe(code);
});
