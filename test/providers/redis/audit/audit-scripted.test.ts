import {afterEach, describe, expect, it} from 'vitest';
import {realClock as clock} from '../../../health/real-clock.ts';
import {type Listener, listen} from '../../listener.ts';
import {live, storeOf} from '../store-under-test.ts';
import {auditNow, auditOf} from './audit-under-test.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const text = (value: string): string => `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
const list = (...values: readonly string[]): string => `*${values.length}\r\n${values.join('')}`;
const info = (more: string) =>
  text(`redis_version:7.0.15\r\nrole:master\r\nmaster_replid:abc\r\nmaster_repl_offset:5\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n${more}`);
const seconds = (): string => list(text(String(Math.floor(clock.wall() / 1000))), text('0'));

/** A server that answers each command by its name: what no Redis of Debian would say. */
async function scripted(answers: Readonly<Record<string, (words: readonly string[]) => string>>): Promise<{readonly address: string}> {
  const all: typeof answers = {
    INFO: () => info(''),
    TIME: seconds,
    MULTI: () => '+OK\r\n',
    PEXPIRETIME: () => '+QUEUED\r\n',
    GETRANGE: () => '+QUEUED\r\n',
    ...answers,
  };
  const server: Listener = await listen((socket) => {
    socket.on('data', (bytes) => {
      const commands = bytes.toString().split(/(?=\*\d+\r\n\$)/);
      const said = commands.map((command) => {
        const words = command.split('\r\n').filter((_, index) => index > 0 && index % 2 === 0);
        return all[words[0] ?? '']?.(words) ?? '-ERR unknown command\r\n';
      });
      socket.write(said.join(''));
    });
  });
  ends.push(() => server.close());
  return {address: `127.0.0.1:${server.port}`};
}

async function opened(members: Parameters<typeof storeOf>[0]) {
  const store = await storeOf(members);
  ends.push(() => store.close());
  return store;
}

const page = (next: string, ...keys: readonly string[]): string => list(text(next), list(...keys.map(text)));
const value = (words: readonly string[], of: string): string => (words.length === 0 ? '' : list(':-1\r\n', text(of)));

describe('an audit of servers that say what is rare', () => {
  it('counts a key once that SCAN names again', async () => {
    const asked: string[] = [];
    const SCAN = ([, cursor]: readonly string[]): string => (cursor === '0' ? page('7', 'a') : page('0', 'a'));
    const TYPE = ([, key = '']: readonly string[]): string => {
      asked.push(key);
      return '+string\r\n';
    };
    const us = await scripted({SCAN, TYPE, EXEC: (words) => value(words, 'v')});
    const audit = auditOf(await opened({us}));
    await audit.tables(['us'], live());
    const table = await audit.open('db0', ['us'], {sliceMs: 100}, live());
    const slice = table.next(null, null)!;
    expect((await table.digest('us', slice, async () => undefined, live())).chunks.map(({rows}) => rows)).toEqual([1]);
    expect(asked).toEqual(['a']);
    expect(table.next(slice, 1)).toBeNull();
  });

  it('names a key of a type that it cannot compare, and says unknown', async () => {
    const types = {SCAN: () => page('0', 'doc'), TYPE: () => '+ReJSON-RL\r\n'};
    const store = await opened({us: await scripted(types), eu: await scripted(types)});
    const {tables} = await auditNow(store, ['us', 'eu']);
    expect(tables).toMatchObject([
      {
        verdict: 'unknown',
        code: 'not-comparable',
        reason: 'eu: the key doc of db0 is a ReJSON-RL, a type that is not compared.',
        divergent: [],
      },
    ]);
  });

  it('does not read a server of a cluster, one that is loading, or one whose text is too long', async () => {
    const spread = () => scripted({INFO: () => info('cluster_enabled:1\r\n')});
    const cluster = await opened({us: await spread(), eu: await spread()});
    expect((await auditNow(cluster, ['us', 'eu'])).skipped).toEqual([
      {table: 'db0', reason: 'it is spread over a cluster, whose servers have different keys'},
    ]);
    const other = await opened({
      us: await scripted({INFO: () => info('loading:1\r\n')}),
      eu: await scripted({SCAN: () => page('0', 'a'), TYPE: () => '+string\r\n', EXEC: () => '*2\r\n:-1\r\n$99999999\r\n'}),
    });
    const cells = await auditOf(other).tables(['us', 'eu'], live());
    expect(cells.us).toMatchObject({known: false, code: 'starting'});
    const table = await auditOf(other).open('db0', ['eu'], {sliceMs: 100}, live());
    await expect(table.digest('eu', table.next(null, null)!, async () => undefined, live())).rejects.toMatchObject({
      code: 'too-large',
      message: 'eu: one element has 99999999 bytes; an audit reads 67108864 at most.',
    });
  });

  it('cuts a large database into parts, and goes on in the parts that it was begun in', async () => {
    const us = await scripted({
      INFO: () =>
        text('redis_version:7.0.15\r\nrole:master\r\nmaster_replid:abc\r\nmaster_repl_offset:5\r\ndb0:keys=5000000,expires=0\r\n'),
    });
    const audit = auditOf(await opened({us}));
    await audit.tables(['us'], live());
    const table = await audit.open('db0', ['us'], {sliceMs: 100}, live());
    const slices = [];
    for (let slice = table.next(null, null); slice !== null; slice = table.next(slice, 1)) slices.push(slice);
    expect(slices.map(({from, to}) => `${from}/${to}`)).toEqual(['0/3', '1/3', '2/3']);
    expect(slices.map(({rows, width}) => rows / (width + 1))).toEqual(slices.map(() => expect.closeTo(407, 0)));
    expect(table.next({rows: 10, from: '1', to: '4', width: 3}, 1)).toEqual({rows: 10, from: '2', to: '4', width: 3});
    expect(table.says).toMatch(/^by 3 SCANs of its keys, /);
  });
});
