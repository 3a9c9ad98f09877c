import {afterEach, describe, expect, it} from 'vitest';
import {CLEAR} from '../../../../src/lab/faulty-proxy.ts';
import {settle} from '../../../../src/lib/consistency/audit/settle.ts';
import type {Store} from '../../../../src/lib/ports/store.ts';
import type {Word} from '../../../../src/lib/providers/redis/audit/encode.ts';
import {createExpiry} from '../../../../src/lib/providers/redis/audit/expiry.ts';
import {type AuditMember, createAuditMember} from '../../../../src/lib/providers/redis/audit/member.ts';
import {readKeys} from '../../../../src/lib/providers/redis/audit/read-keys.ts';
import {realClock as clock} from '../../../health/real-clock.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../../servers/redis.ts';
import {PASSWORD, vault} from '../probe-under-test.ts';
import {at, type Keys, live, pathTo, storeOf} from '../store-under-test.ts';
import {auditNow, auditOf, caughtUp, type Writer, writerTo} from './audit-under-test.ts';

const KEYS = 6000;

/** One write of many kinds, to a key that others write to as well. No value comes back: looks that are compared by hashes alone would not see that it was away. */
function someWrite(index: number): readonly Word[] {
  const key = (index * 7919) % KEYS;
  const number = String(index);
  const writes: readonly (readonly Word[])[] = [
    ['set', `string ${key}`, number],
    ['set', `brief ${key}`, number, 'px', String(300 + (index % 4000))],
    ['rpush', `list ${key % 50}`, number],
    ['sadd', `set ${key % 50}`, number],
    ['hset', `hash ${key % 50}`, `field ${key}`, number],
    ['zadd', `zset ${key % 50}`, number, `member ${key}`],
    ['del', `string ${(key * 3) % KEYS}`],
    ['pexpire', `string ${key}`, String(2000 + (index % 5000))],
    ['set', `string ${key}`, `${number} ${'x'.repeat(index % 3000)}`],
    ['xadd', `stream ${key % 20}`, '*', 'n', number],
  ];
  return writes[index % writes.length] ?? ['ping'];
}

/** So many writes a second, until it is told to end: then it answers how many there were. */
function writeOn(writer: Writer, perSecond: number): () => Promise<number> {
  let [index, ended] = [0, false];
  const began = performance.now();
  const running = (async () => {
    while (!ended) {
      const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
      const some = Array.from({length: Math.min(500, Math.max(0, due - index))}, () => someWrite(index++));
      await writer.send(...some);
      await new Promise((done) => setTimeout(done, 10));
    }
    return index;
  })();
  running.catch(() => undefined);
  return () => {
    ended = true;
    return running;
  };
}

describe.skipIf(noRedis !== null)(`an audit of a Redis in use${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const ends: (() => unknown)[] = [];
  const start = async (options: RedisOptions = {}): Promise<RedisServer> => {
    const server = await startRedis(options);
    ends.push(() => server.end());
    return server;
  };
  const open = async (members: Readonly<Record<string, Keys>>, keys: Keys = {}): Promise<Store> => {
    const store = await storeOf(members, keys);
    ends.push(() => store.close());
    return store;
  };
  const writerOf = (server: RedisServer): Writer => {
    const writer = writerTo(server);
    ends.push(() => writer.close());
    return writer;
  };
  /** A primary, a replica that is late by `ms`, and one that takes writes of others too. */
  const fleet = async (ms: number) => {
    const us = await start();
    const path = await pathTo(us);
    ends.push(() => path.proxy.close());
    path.proxy.reshape({...CLEAR, latencyMs: ms});
    const [eu, ap] = await Promise.all([
      start({upstream: {...us, port: path.port}}),
      start({upstream: us, settings: {'replica-read-only': 'no'}}),
    ]);
    const members = {us: at(us), eu: {...at(eu), upstreams: {us: `127.0.0.1:${path.port}`}}, ap: at(ap)};
    return {us, eu, ap, path, store: await open(members)};
  };
  const memberOf = ({port}: RedisServer): AuditMember => {
    const member = createAuditMember({label: 'us', host: '127.0.0.1', port, user: null, password: null, tls: null}, vault);
    ends.push(() => [member.link, member.large].map((link) => link.close()));
    return member;
  };
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  it('reports no false divergence under writes with a late replica, and finds the one that is true', async () => {
    const {us, eu, ap, store} = await fleet(150);
    const writer = writerOf(us);
    await writer.send(...Array.from({length: KEYS}, (_, index) => ['set', `still ${index}`, String(index)]));
    await caughtUp(us, eu, ap);
    const end = writeOn(writer, 2000);
    let late = 0;
    for (let run = 1; run <= 3; run++) {
      const {tables} = await auditNow(store, ['us', 'eu', 'ap']);
      const [table] = tables;
      expect(table?.divergent).toEqual([]);
      expect(['equal', 'unknown']).toContain(table?.verdict);
      // Only keys that changed at every look may be left open.
      if (table?.verdict === 'unknown') expect(table).toMatchObject({code: 'moving'});
      late += table?.late ?? 0;
    }
    expect(late).toBeGreaterThan(0);
    await writerOf(ap).send(['set', 'still 17', 'other']);
    expect((await auditNow(store, ['us', 'eu', 'ap'])).tables[0]?.divergent.map(({key}) => key)).toEqual(['still 17']);
    expect(await end()).toBeGreaterThan(1000);
    await caughtUp(us, eu, ap);
    expect((await auditNow(store, ['us', 'eu', 'ap'])).tables[0]).toMatchObject({verdict: 'diverged', code: null, unsettled: 0});
  }, 240_000);

  it('waits for the place that the primary had, and says who does not reach it', async () => {
    const {us, eu, path, store} = await fleet(0);
    const writer = writerOf(us);
    const audit = auditOf(store);
    await writer.send(['set', 'a', '1']);
    const members = ['us', 'eu'].map((member) => ({member, region: member}));
    const job = {audit, links: (signal: AbortSignal) => store.abilities.links!.links(signal), clock};
    expect(await settle({...job, waitMs: 10_000}, members, live())).toEqual({basis: 'position'});
    expect(await audit.position('us', live())).toBe(await audit.position('eu', live()));
    path.proxy.reshape({...CLEAR, latencyMs: 700});
    await writer.send(['set', 'a', '2']);
    const began = performance.now();
    expect(await settle({...job, waitMs: 10_000}, members, live())).toEqual({basis: 'position'});
    expect(performance.now() - began).toBeGreaterThan(400);
    expect(await eu.cli('get', 'a')).toBe('2');
    path.proxy.reshape({...CLEAR, blackHole: true});
    await writer.send(['set', 'a', '3']);
    expect(await settle({...job, waitMs: 1500}, members, live())).toMatchObject({
      basis: 'behind',
      reason: expect.stringMatching(/^eu did not catch up with us: /),
    });
    expect((await auditNow(store, ['us', 'eu'], {settleMs: 1000})).tables[0]).toMatchObject({
      verdict: 'unknown',
      code: 'not-caught-up',
      divergent: [],
    });
  });

  it('says unknown of a database whose member was killed while its keys were read', async () => {
    const {us, eu, ap, store} = await fleet(0);
    await writerOf(us).send(...Array.from({length: 20_000}, (_, index) => ['set', `key ${index}`, String(index)]));
    await caughtUp(us, eu, ap);
    let paces = 0;
    const pace = async (): Promise<void> => {
      if (++paces === 12) await eu.kill();
    };
    const {tables, lost} = await auditNow(store, ['us', 'eu'], {pace});
    expect(tables[0]).toMatchObject({verdict: 'unknown', covered: 0, accuracy: null, code: expect.stringMatching(/^(reset|refused)$/)});
    expect(lost).toMatchObject([{member: 'eu'}]);
    const [other] = (await auditNow(store, ['us', 'eu', 'ap'])).tables;
    expect(other).toMatchObject({verdict: 'unknown', divergent: [], rows: 20_000, covered: 0});
  });

  it('believes of a large value only what stood still while it was read', async () => {
    const us = await start();
    const writer = writerOf(us);
    const elements = Array.from({length: 20_000}, () => 'a');
    await writer.send(
      ['rpush', 'list', ...elements],
      ['set', 'text', 'a'.repeat(2_000_000)],
      ['hset', 'hash', ...elements.flatMap((_, index) => [String(index), 'a'])],
    );
    const member = memberOf(us);
    const read = (key: string, pace: () => Promise<void>) =>
      readKeys(
        {
          ...{member, expiryCommand: 'PEXPIRETIME', database: 0, keep: 'none', pace, signal: live()},
          expiry: createExpiry(() => clock.wall(), 0),
        },
        [Buffer.from(key)],
      );
    const changes: Readonly<Record<string, readonly (readonly Word[])[]>> = {
      list: [
        ['lset', 'list', '19999', 'b'],
        ['lset', 'list', '19999', 'a'],
      ],
      text: [
        ['setrange', 'text', '5', 'b'],
        ['setrange', 'text', '5', 'a'],
      ],
      hash: [
        ['hset', 'hash', '7', 'b'],
        ['hset', 'hash', '7', 'a'],
      ],
    };
    for (const [key, there] of Object.entries(changes)) {
      let pages = 0;
      const still = await read(key, async () => void pages++);
      expect(pages).toBeGreaterThan(4);
      expect(still[0]).toMatchObject({content: {length: expect.any(Number)}});
      // There and back between two pages: what was read is what it is, and nobody can know that.
      expect(await read(key, async () => void (await writer.send(...there)))).toEqual(['changing']);
      let once = true;
      const first = async (): Promise<void> => {
        if (once) await writer.send(...there);
        once = false;
      };
      expect(await read(key, first)).toEqual(still);
    }
  });

  it('reads the same keys in parts as at once, each in one of them, and chunks again as in a whole', async () => {
    const {us, store} = await fleet(0);
    await writerOf(us).send(...Array.from({length: 9000}, (_, index) => ['set', `key ${index}`, String(index)]));
    const audit = auditOf(store);
    await audit.tables(['us'], live());
    const table = await audit.open('db0', ['us'], {sliceMs: 250}, live());
    const slice = table.next(null, null)!;
    const whole = await table.digest('us', slice, async () => undefined, live());
    const total = (chunks: typeof whole.chunks) => [
      chunks.reduce((sum, {rows}) => sum + rows, 0),
      chunks.reduce((sum, {sum: own}) => sum + BigInt(own), 0n),
    ];
    const parts = await Promise.all(
      [0, 1, 2].map((part) => table.digest('us', {...slice, from: String(part), to: '3'}, async () => undefined, live())),
    );
    expect(total(parts.flatMap(({chunks}) => chunks))).toEqual(total(whole.chunks));
    expect(parts.every(({chunks}) => chunks.length === whole.chunks.length)).toBe(true);
    expect(whole.chunks).toHaveLength(slice.width + 1);
    const some = whole.chunks.slice(3, 6);
    expect(
      await table.again(
        'us',
        slice,
        some.map(({id}) => id),
        live(),
      ),
    ).toEqual(some);
    const rows = await table.rows(
      'us',
      slice,
      some.map(({id}) => id),
      live(),
    );
    expect(rows).toHaveLength(some.reduce((sum, chunk) => sum + chunk.rows, 0));
    expect(String(rows.reduce((sum, {hash}) => sum + BigInt(`0x${hash}`), 0n))).toBe(
      String(some.reduce((sum, chunk) => sum + BigInt(chunk.sum), 0n)),
    );
    const asked = await table.hashes(
      'us',
      rows.map(({key}) => key),
      live(),
    );
    expect(asked.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual(rows.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
  });

  it('goes by the time that is left where a server does not tell when a key ends', async () => {
    const us = await start();
    const end = Date.now() + 60_000;
    await writerOf(us).send(
      ['set', 'a', '1', 'pxat', String(end)],
      ['set', 'b', '2'],
      ['set', 'c', '3', 'px', '400'],
      ['rpush', 'd', ...Array.from({length: 20_000}, () => 'element')],
      ['pexpireat', 'd', String(end)],
    );
    const member = memberOf(us);
    const read = (expiryCommand: 'PTTL' | 'PEXPIRETIME', marginMs: number) =>
      readKeys(
        {
          ...{member, expiryCommand, database: 0, keep: 'none', pace: async () => undefined, signal: live()},
          expiry: createExpiry(() => clock.wall(), marginMs),
        },
        ['a', 'b', 'c', 'd', 'none'].map((key) => Buffer.from(key)),
      );
    const [exact, left] = [await read('PEXPIRETIME', 500), await read('PTTL', 500)];
    const times = (rows: typeof exact) => rows.map((row) => (row === null || row === 'changing' ? row : row.expireAt));
    expect(times(exact)).toEqual([end, null, null, end, null]);
    expect(times(left)).toEqual([expect.closeTo(end, -1.5), null, null, expect.closeTo(end, -1.5), null]);
    // What ends within the margin is there on nobody.
    expect([exact, left].map((rows) => rows.map((row) => row === null))).toEqual(
      Array.from({length: 2}, () => [false, false, true, false, true]),
    );
  });

  it('prints large values by their digest, and whole where that is asked for', async () => {
    const {us, eu, ap, store} = await fleet(0);
    const value = 'v'.repeat(200_000);
    await writerOf(us).send(['set', 'text', value], ['sadd', 'set', ...Array.from({length: 9000}, (_, index) => `member ${index}`)]);
    await writerOf(us).send(
      ['zadd', 'zset', '1.5', 'a', '-inf', 'b'],
      ['hset', 'hash', 'f', '1'],
      ['xadd', 'stream', '1-1', 'f', 'v'],
      ['rpush', 'list', 'a', 'b c'],
    );
    await caughtUp(us, eu, ap);
    const audit = auditOf(store);
    await audit.tables(['us', 'eu'], live());
    const table = await audit.open('db0', ['us', 'eu'], {sliceMs: 250}, live());
    const keys = ['text', 'set', 'zset', 'hash', 'stream', 'list', 'none', 'text'];
    const short = await table.versions('us', keys, [], live());
    expect(short.map(({row}) => row?.value)).toEqual([
      expect.stringMatching(/^sha256:[0-9a-f]{64} of 200000 bytes$/),
      expect.stringMatching(/^sha256:[0-9a-f]{64} of 9000 elements$/),
      '[["a","1.5"],["b","-Infinity"]]',
      '{"f":"1"}',
      '[["1-1",[["f","v"]]]]',
      '["a","b c"]',
      undefined,
      expect.stringMatching(/^sha256:/),
    ]);
    const whole = await table.versions('eu', keys, ['value'], live());
    expect(whole[0]?.row?.value).toBe(value);
    expect(JSON.parse(whole[1]?.row?.value ?? '[]')).toHaveLength(9000);
    expect(whole.map(({hash}) => hash)).toEqual(short.map(({hash}) => hash));
    expect(await table.hashes('ap', keys, live()).catch((error: Error) => error.message)).toContain('was not opened on ap');
    expect((await table.hashes('eu', keys, live())).map(({key}) => key)).toEqual(['text', 'set', 'zset', 'hash', 'stream', 'list', 'text']);
  });

  it('needs no more than to read, says what a user may not do, and shows no secret', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    for (const server of [us, eu]) {
      await server.cli('acl', 'setuser', 'auditor', 'on', `>${PASSWORD}`, '~*', '+@read', '+@transaction', '+select', '+info', '+time');
      await server.cli('acl', 'setuser', 'blind', 'on', `>${PASSWORD}`, '+info', '+time', '+select');
    }
    await writerOf(us)
      .in(2)
      .send(['set', 'a', 'b'], ['rpush', 'long', ...Array.from({length: 20_000}, () => 'element')]);
    await caughtUp(us, eu);
    const members = {us: at(us), eu: at(eu)};
    const password = `$${'{env:PASSWORD}'}`;
    const seen = await auditNow(await open(members, {audit: {user: 'auditor', password}}), ['us', 'eu']);
    expect(seen.tables).toMatchObject([{table: 'db2', verdict: 'equal', rows: 2, covered: 1}]);
    const blind = await auditNow(await open(members, {audit: {user: 'blind', password}}), ['us', 'eu']);
    expect(blind.tables).toMatchObject([
      {verdict: 'unknown', code: 'privilege', reason: expect.stringContaining('does not let this user ask SCAN')},
    ]);
    expect(JSON.stringify([seen, blind])).not.toContain(PASSWORD);
    await us.cli('acl', 'setuser', 'auditor', 'off');
    const off = await auditNow(await open(members, {audit: {user: 'auditor', password}}), ['us', 'eu']).catch((error: Error) => error);
    expect(JSON.stringify(off)).not.toContain(PASSWORD);
    expect(off).toMatchObject({lost: [{member: 'us', code: 'auth'}]});
  });

  it('counts how busy a member is without us, and what it was sent', async () => {
    const {us, store} = await fleet(0);
    const audit = auditOf(store);
    expect(audit.received('us')).toBe(0);
    const idle = await audit.load('us', live());
    expect(idle.active).toBeLessThan(0.2);
    const writer = writerOf(us);
    await writer.send(['rpush', 'list', ...Array.from({length: 50_000}, (_, index) => String(index))]);
    let ended = false;
    const busy = (async () => {
      while (!ended) await writer.send(...Array.from({length: 20}, () => ['lpos', 'list', 'nowhere']));
    })();
    // Between two looks that follow at once the server may not have had the processor.
    await expect.poll(async () => (await audit.load('us', live())).active, {timeout: 10_000}).toBeGreaterThan(idle.active);
    const {active} = await audit.load('us', live());
    ended = true;
    await busy;
    expect(active).toBeLessThanOrEqual(1);
    expect(audit.received('us')).toBeGreaterThan(1000);
  });
});
