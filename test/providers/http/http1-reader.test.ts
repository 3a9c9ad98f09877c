import fc from 'fast-check';
import {expect, test} from 'vitest';
import {type Head, Http1Reader} from '../../../src/lib/providers/http/http1-reader.ts';

type Seen = {status: number | null; body: string; code: string | null; done: boolean};

function headOf(text: string): Head | null {
  let found: Head | null = null;
  new Http1Reader(
    (head) => {
      found = head;
    },
    () => undefined,
  ).feed(Buffer.from(text, 'latin1'));
  return found;
}

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
  '\r\n\n\rHTTP/1.1 103 Early Hints\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0000000000000000000005\r\n\r\nhello',
  'HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n000000003\r\nhel\r\n2 ; a = "b;\\"c" ;d\t\r\nlo\r\n000000000000\r\n\r\n',
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
  ['HTTP/1.7 200 OK\r\n\r\n', 'HPE_INVALID_VERSION'],
  ['HTTP/2 200\r\n\r\n', 'HPE_INVALID_VERSION'],
  ['RTSP/1.0 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ['\r\n', 'ECONNRESET'],
  [' HTTP/1.1 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1 \r\nContent-Length: 1\r\n\r\n', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
  ['HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 'HPE_INVALID_TRANSFER_ENCODING'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n', 'HPE_INVALID_TRANSFER_ENCODING'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 'ECONNRESET'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe', 'ECONNRESET'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'HPE_INVALID_CHUNK_SIZE'],
  ['HTTP/1.1 200 OK\r\nA: b', 'ECONNRESET'],
  [`HTTP/1.1 200 OK\r\nA: ${'b'.repeat(1024 * 1024)}`, 'HPE_HEADER_OVERFLOW'],
  ['HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
])('a broken answer has its code (%#)', (text, code) => {
  expect(read([Buffer.from(text, 'latin1')]).code).toBe(code);
});

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

test.each(['', ' 1', '0x1', '-1', '1\xA0', '1\v', '1\r', '1;', '1;a\x01', '1;a="b', '1;a=', '10000000000000000'])(
  'the size of a chunk is not %j',
  (size) => {
    expect(read([Buffer.from(`${CHUNKED}${size}\r\na\r\n0\r\n\r\n`, 'latin1')]).code).toBe('HPE_INVALID_CHUNK_SIZE');
  },
);

test.each([
  ['X y', 'HPE_INVALID_HEADER_TOKEN'],
  [': y', 'HPE_INVALID_HEADER_TOKEN'],
  ['X: \x01', 'HPE_INVALID_HEADER_TOKEN'],
  ['Content-Length: 1', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
  ['X: y\r\n z', null],
])('a trailer %j', (trailer, code) => {
  expect(read([Buffer.from(`${CHUNKED}1\r\na\r\n0\r\n${trailer}\r\n\r\n`, 'latin1')])).toMatchObject({code, body: 'a'});
});

test.each(['0.9', '2.0'])('a first line of version %s is read, as Node does', (version) => {
  expect(read([Buffer.from(`HTTP/${version} 200 OK\r\nContent-Length: 1\r\n\r\na`)])).toMatchObject({status: 200, code: null, done: true});
});

test('lines as long as their limit take no longer than others', () => {
  const blanks = ' '.repeat(15_000);
  const began = process.cpuUsage();
  for (let round = 0; round < 20; round += 1) {
    expect(headOf(`HTTP/1.1 200 OK\r\nA: a${blanks}b\r\n\r\n`)?.headers.a).toHaveLength(15_002);
    for (const line of [`1${blanks}x`, `1;a${blanks}x`, `1;a=${blanks}`, `${'0'.repeat(15_000)}x`, `1${';a'.repeat(7000)};`])
      expect(read([Buffer.from(`${CHUNKED}${line}\r\n`)]).code).toBe('HPE_INVALID_CHUNK_SIZE');
  }
  // A pattern that began anew at each blank took 50 times as long.
  expect(process.cpuUsage(began).user / 1000).toBeLessThan(1000);
});

test.each([
  ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'],
  ['304', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['an empty body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
])('%s is over with its head', (_, text) => {
  expect(read([Buffer.from(text)])).toMatchObject({body: '', code: null, done: true});
});

test('headers: names in any case, blanks around values, lines that go on, several of a kind', () => {
  const head = headOf(
    'HTTP/1.1 200 OK\r\nX-ONE:  a\t\r\nx-one: b\r\nServer: c\r\nSERVER: d\r\nSet-Cookie: e\r\nSet-Cookie: f\r\nFolded: g\r\n  h\r\nEmpty:\r\nPadded: \xA0i\xA0\r\n\r\n',
  );
  expect({...head?.headers}).toEqual({
    'x-one': 'a, b',
    server: 'c',
    'set-cookie': ['e', 'f'],
    folded: 'g h',
    empty: '',
    padded: '\xA0i\xA0',
  });
});

test('a coding before chunked is read by its chunks, one without chunked to the end', () => {
  const chunks = '5\r\nhello\r\n0\r\n\r\n';
  expect(read([Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n${chunks}`)])).toMatchObject({
    body: 'hello',
    done: true,
  });
  expect(read([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello')])).toMatchObject({
    body: 'hello',
    code: null,
    done: true,
  });
});

test('whatever comes is an answer or an error with its symbol, and is never kept beyond its limits', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 100 Continue\r\n\r\n',
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      '\r\n',
      '\n',
      '3\r\nabc\r\n',
      '0\r\n',
      'abc',
    ),
    fc.string({unit: 'binary', maxLength: 8}),
  );
  fc.assert(
    fc.property(fc.array(piece, {maxLength: 12}), fc.integer({min: 1, max: 7}), (pieces, size) => {
      const all = Buffer.from(pieces.join(''), 'latin1');
      const cut = read(Array.from({length: Math.ceil(all.length / size)}, (_, at) => all.subarray(at * size, (at + 1) * size)));
      expect(cut).toEqual(read([all]));
      expect(cut.done || /^(HPE_|ECONNRESET$)/.test(cut.code ?? '')).toBe(true);
    }),
    {numRuns: 1000},
  );
});

test.each([
  ['what comes before a head', '\r\n', '\r\n', 'HPE_HEADER_OVERFLOW'],
  ['the size of a chunk', CHUNKED, '0000', 'HPE_CHUNK_EXTENSIONS_OVERFLOW'],
  ['a head', 'HTTP/1.1 200 OK\r\n', 'A: b\r\n', 'HPE_HEADER_OVERFLOW'],
  ['the line of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;', 'a=b;', 'HPE_CHUNK_EXTENSIONS_OVERFLOW'],
])('%s without an end is given up', (_, begin, more, code) => {
  expect(read([Buffer.from(begin), ...Array.from({length: 10_000}, () => Buffer.from(more))]).code).toBe(code);
});
