import {afterEach, describe, expect, it} from 'vitest';
import {z} from 'zod';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {secretReference} from '../../../src/lib/fleet/references.ts';
import type {SecretVault} from '../../../src/lib/fleet/secrets.ts';
import {createRest, type Rest} from '../../../src/lib/providers/patroni/rest.ts';
import {deadPort, http, type Listener, listen, speaks} from '../listener.ts';
import {crowded} from './crowded.ts';

const PASSWORD = 'hunter2-hunter2';
const vault: SecretVault = {reveal: async () => PASSWORD, scrub: (text) => text.replaceAll(PASSWORD, '•••')};
const shape = z.object({state: z.string()});

let listener: Listener | null = null;
let rest: Rest;
afterEach(async () => {
  await rest.close();
  await listener?.close();
  listener = null;
});

type Talk = Parameters<typeof listen>[0];

async function open(talk: Talk): Promise<{member: string; url: string}> {
  rest = createRest({user: 'operator', password: secretReference('env', 'X')}, vault);
  listener = await listen(talk);
  return {member: 'us', url: `http://127.0.0.1:${listener.port}`};
}

const limits = (timeoutMs = 2000) => ({timeoutMs, signal: new AbortController().signal});

/** What arrived, and then an answer. */
function hears(heard: string[], reply: string): Talk {
  return (socket) =>
    void socket.once('data', (data) => {
      heard.push(String(data));
      socket.end(reply);
    });
}

describe('the REST client', () => {
  it('reads a document, and sends no password for it', async () => {
    const heard: string[] = [];
    const place = await open(hears(heard, http(200, '{"state": "running", "more": 1}')));
    expect(await rest.read(place, '/patroni', shape, limits())).toEqual({state: 'running'});
    expect(heard[0]).toMatch(/^GET \/patroni HTTP/);
    expect(heard[0]?.toLowerCase()).not.toContain('authorization');
  });

  it('gives an order with the login', async () => {
    const heard: string[] = [];
    const place = await open(hears(heard, http(503, 'Failover failed')));
    expect(await rest.order(place, '/failover', {candidate: 'eu'}, limits())).toEqual({status: 503, says: 'Failover failed'});
    expect(heard[0]).toContain(`authorization: Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}`);
    expect(heard[0]).toContain('{"candidate":"eu"}');
  });

  it.each<[string, Talk, string, string]>([
    ['hangs', () => undefined, 'timeout', 'did not answer within 100 ms.'],
    ['breaks off', (socket) => void socket.once('data', () => socket.destroy()), 'reset', 'broke the connection off'],
    ['answers no JSON', speaks(http(200, 'hello')), 'bad-answer', 'answered GET /patroni with something else than Patroni does'],
    ['answers other JSON', speaks(http(200, '[]')), 'bad-answer', 'answered GET /patroni with something else than Patroni does'],
    [
      'answers an error page',
      speaks(http(502, '<html><p>Bad\r\nGateway</p></html>')),
      'bad-answer',
      'answered GET /patroni with 502: Bad Gateway.',
    ],
    ['answers half', speaks('HTTP/1.1 200 X\r\ncontent-length: 50\r\n\r\n{"state"'), 'timeout', 'did not answer within 100 ms.'],
  ])('names member and URL when the other side %s', async (_, talk, code, says) => {
    const place = await open(talk);
    const outcome = await outcomeOf(() => rest.read(place, '/patroni', shape, limits(100)));
    expect(outcome).toMatchObject({refused: true, code, exit: 69});
    expect(outcome.message).toContain(`Patroni of us (${place.url}) ${says}`);
  });

  it('waits no longer for a connection than for an answer, and sends nothing that was given up', async () => {
    rest = createRest(null, vault);
    const crowd = await crowded();
    try {
      const place = {member: 'us', url: `http://127.0.0.1:${crowd.port}`};
      const began = performance.now();
      const outcomes = await Promise.all([
        outcomeOf(() => rest.read(place, '/patroni', shape, limits(300))),
        outcomeOf(() => rest.order(place, '/failover', {candidate: 'eu'}, limits(300))),
      ]);
      expect(performance.now() - began).toBeLessThan(1500);
      for (const outcome of outcomes) expect(outcome).toMatchObject({refused: true, code: 'timeout', exit: 69});
      expect(await crowd.heardAfterwards(place)).toEqual(['GET /alive']);
    } finally {
      crowd.end();
    }
  });

  it('tells a refused connection from a silent one', async () => {
    await open(() => undefined);
    const place = {member: 'eu', url: `http://127.0.0.1:${await deadPort()}`};
    expect(await outcomeOf(() => rest.read(place, '/patroni', shape, limits()))).toMatchObject({code: 'refused', exit: 69});
  });

  it('takes a deadline of its caller for a timeout, and a cancellation for none', async () => {
    const place = await open(() => undefined);
    const late = {signal: AbortSignal.timeout(50)};
    expect(await outcomeOf(() => rest.read(place, '/patroni', shape, late))).toMatchObject({code: 'timeout'});
    const cancelled = {signal: AbortSignal.abort()};
    expect(await outcomeOf(() => rest.read(place, '/patroni', shape, cancelled))).toMatchObject({code: 'cancelled'});
  });

  it('ends what is under way when it is closed', async () => {
    const place = await open(() => undefined);
    const asked = outcomeOf(() => rest.order(place, '/switchover', {}, limits(10_000)));
    setTimeout(() => void rest.close(), 50);
    expect(await asked).toMatchObject({refused: true, code: 'cancelled'});
  });

  it('keeps the prefix of a URL', async () => {
    const heard: string[] = [];
    const place = await open(hears(heard, http(200, '{"state": "running"}')));
    await rest.read({...place, url: `${place.url}/patroni/us`}, '/cluster', shape, limits());
    expect(heard[0]).toMatch(/^GET \/patroni\/us\/cluster HTTP/);
  });
});
