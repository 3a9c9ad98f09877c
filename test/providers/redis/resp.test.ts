import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encode, type Reply, repliesIn} from '../../../src/lib/providers/redis/resp.ts';

async function read(...chunks: readonly (string | Buffer)[]): Promise<Reply[]> {
  async function* sent() {
    for (const chunk of chunks) yield Buffer.from(chunk as string);
  }
  const replies: Reply[] = [];
  for await (const reply of repliesIn(sent())) replies.push(reply);
  return replies;
}

const texts = (replies: readonly Reply[]) => replies.map((reply) => ('text' in reply ? `${reply.kind} ${reply.text}` : reply.kind));

describe('the protocol of Redis', () => {
  it('writes commands by the number of bytes', () => {
    expect(encode(['AUTH', 'pässwort'])).toBe('*2\r\n$4\r\nAUTH\r\n$9\r\npässwort\r\n');
    expect(encode(['INFO'])).toBe('*1\r\n$4\r\nINFO\r\n');
    // A secret cannot end its word and begin a command.
    expect(encode(['AUTH', 'a\r\nFLUSHALL\r\n'])).toBe('*2\r\n$4\r\nAUTH\r\n$13\r\na\r\nFLUSHALL\r\n\r\n');
  });

  it('reads lines, errors and texts', async () => {
    expect(texts(await read('+OK\r\n$5\r\na:1\r\n\r\n-ERR no\r\n$0\r\n\r\n'))).toEqual([
      'line OK',
      'text a:1\r\n',
      'error ERR no',
      'text ',
    ]);
  });

  it('waits for the end of what is not there yet', async () => {
    expect(texts(await read('+OK'))).toEqual([]);
    expect(texts(await read('+OK\r'))).toEqual([]);
    expect(texts(await read('$5\r\nabcde'))).toEqual([]);
    expect(texts(await read('+OK\r', '\n'))).toEqual(['line OK']);
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n'],
    ['an echo', encode(['AUTH', 'secret'])],
    ['a null', '$-1\r\n'],
    ['a text of a size that is none', '$0x10\r\n'],
    ['a text of more than is read', '$1048577\r\n'],
    ['a text without its end', '$2\r\nabcd'],
    ['a number', ':1\r\n'],
    ['a line without an end', `+${'x'.repeat(5000)}`],
  ])('takes %s for no reply', async (_name, sent) => {
    expect(await read(sent)).toEqual([{kind: 'garbage', bytes: Buffer.byteLength(sent)}]);
  });

  it('reads nothing after what is no reply', async () => {
    expect(texts(await read('+OK\r\nwhat\r\n', '+OK\r\n'))).toEqual(['line OK', 'garbage']);
  });

  it('does not care how what is sent is cut into pieces', async () => {
    const line = fc.stringMatching(/^[ -~äöü]*$/, {maxLength: 200});
    const reply = fc.oneof(
      line.map((text) => ({said: `line ${text}`, sent: `+${text}\r\n`})),
      line.map((text) => ({said: `error ${text}`, sent: `-${text}\r\n`})),
      fc
        .string({unit: 'grapheme', maxLength: 200})
        .map((text) => ({said: `text ${text}`, sent: `$${Buffer.byteLength(text)}\r\n${text}\r\n`})),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(reply, {maxLength: 5}), fc.array(fc.nat(), {maxLength: 10}), async (replies, cuts) => {
        const whole = Buffer.from(replies.map(({sent}) => sent).join(''));
        const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        expect(texts(await read(...pieces))).toEqual(replies.map(({said}) => said));
      }),
    );
  });

  it('never fails for what it is sent, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({maxLength: 50})), async (chunks) => {
        const replies = await read(...chunks.map((chunk) => Buffer.from(chunk)));
        expect(replies.slice(0, -1).some(({kind}) => kind === 'garbage')).toBe(false);
      }),
    );
  });
});
