import {describe, expect, it} from 'vitest';
import {routerContract} from '../../../src/kit/testing.ts';
import {ask} from '../../../src/lib/providers/haproxy/runtime-api.ts';
import {deadPort} from '../listener.ts';
import {ALL, at, ctx, failed, live, router, runtime, SERVERS} from './route-under-test.ts';
import {scriptedRuntime} from './scripted-runtime.ts';

describe.each([1, 2])('over %i runtime APIs', (count) => {
  routerContract({describe, it, expect}, async () => {
    const apis = await Promise.all(Array.from({length: count}, () => scriptedRuntime(ALL)));
    const dead = await deadPort();
    return {
      router: router(apis.map(({port}) => port)),
      unreachable: router([...apis.slice(1).map(({port}) => port), dead]),
      regions: Object.keys(SERVERS),
      ctx,
      close: async () => {
        for (const api of apis) await api.close();
      },
    };
  });
});

describe('reading', () => {
  it('counts servers that take no new connections as 0: in maintenance, inherited or not, drained, or their name lost', async () => {
    for (const admin of [0x01, 0x02, 0x08, 0x10, 0x20]) {
      const api = await runtime({...ALL, 'be/eu1': {admin}});
      expect(await router([api.port]).read(live())).toEqual({us: 100, eu: 0});
    }
    // Remarks: configured as disabled but enabled since, a name that was set while it ran.
    const api = await runtime({...ALL, 'be/eu1': {admin: 0x44}});
    expect(await router([api.port]).read(live())).toEqual({us: 100, eu: 100});
  });

  it('names the servers of a region that differ', async () => {
    const api = await runtime({...ALL, 'be/us2': {admin: 1}});
    expect(await failed(router([api.port]).read(live()))).toMatchObject({
      ...{code: 'router-differs', exit: 69},
      message: `HAProxy at 127.0.0.1:${api.port} does not treat us as one: be/us1 takes 100, be/us2 takes 0`,
    });
  });

  it('names the instances that differ', async () => {
    const [one, two] = [await runtime(), await runtime({...ALL, 'be/eu1': {weight: 5}})];
    expect(await failed(router([one.port, two.port]).read(live()))).toMatchObject({
      ...{code: 'router-differs', exit: 69},
      message: `the instances do not agree: HAProxy at 127.0.0.1:${one.port} has us 100 and eu 100, HAProxy at 127.0.0.1:${two.port} has us 100 and eu 5`,
    });
  });

  it('names every instance that does not answer', async () => {
    const [good, dead, also] = [await runtime(), await deadPort(), await deadPort()];
    const error = await failed(router([good.port, dead, also]).read(live()));
    expect(error).toMatchObject({code: 'router-unreachable', exit: 69});
    expect(error.message).toContain(`HAProxy at 127.0.0.1:${dead} does not answer`);
    expect(error.message).toContain(`HAProxy at 127.0.0.1:${also} does not answer`);
    expect(error.message).not.toContain(`HAProxy at 127.0.0.1:${good.port}`);
  });

  it('has no word for a weight above 100', async () => {
    const api = await runtime({...ALL, 'be/eu1': {weight: 256, configured: 256}});
    expect(await failed(router([api.port]).read(live()))).toMatchObject({code: 'server-weight', message: expect.stringContaining('256')});
  });

  it('says which servers there are when one of the fleet file is not among them', async () => {
    const api = await runtime({'be/us1': {}, 'be/us2': {}, 'be/eu9': {}});
    const error = await failed(router([api.port]).read(live()));
    expect(error).toMatchObject({code: 'unknown-server', exit: 69, message: `HAProxy at 127.0.0.1:${api.port} has no server be/eu1`});
    expect(error.suggestions?.join()).toContain('be/us1, be/us2, be/eu9');
  });

  it.each([
    ['something else', 'HTTP/1.1 400 Bad request\r\n\r\n\n', 'bad-answer'],
    ['another version', '2\n# be_name srv_name srv_admin_state srv_uweight srv_iweight\n\n', 'bad-answer'],
    ['a row without a weight', '1\n# be_name srv_name srv_admin_state srv_uweight srv_iweight\nbe us1 0 -\n\n', 'bad-answer'],
    ['half an answer', '1\n# be_name srv_name srv_admin_state srv_uweight srv_iweight\nbe us1 0 100 1', 'router-unreachable'],
    ['nothing', '', 'router-unreachable'],
    ['a closed connection', 'drop', 'router-unreachable'],
    ['a refusal', 'Permission denied\n\n', 'bad-answer'],
  ])('is not taken in by %s', async (_, reply, code) => {
    const api = await runtime(ALL, () => reply);
    expect(await failed(router([api.port]).read(live()))).toMatchObject({code, exit: 69});
  });
});

describe('a server that is configured with weight 0', () => {
  it('is told, before anything is changed', async () => {
    const api = await runtime({...ALL, 'be/eu1': {weight: 0, configured: 0}});
    const route = router([api.port]);
    for (const attempt of [route.read(live()), route.write(ctx(), {us: 0, eu: 100})]) {
      const error = await failed(attempt);
      expect(error).toMatchObject({
        ...{code: 'server-weight', exit: 69},
        message: `HAProxy at 127.0.0.1:${api.port} has be/eu1 configured with weight 0: a share of nothing stays nothing`,
      });
      expect(error.suggestions?.join()).toContain('"weight 100"');
    }
    expect(api.orders).toEqual([]);
  });
});

it('sends one command and never two, whatever it is made of', async () => {
  const api = await runtime();
  const bounds = {deadlineMs: 1000, signal: live()};
  for (const command of [
    'show info;show stat',
    'show info\nshow stat',
    'show info\r',
    'set server be/us1 <<',
    'show $(id)',
    ' show info',
    '',
  ]) {
    await expect(ask(at(api.port), command, bounds)).rejects.toThrow('not a command that may be sent');
  }
  expect(api.mostPerConnection()).toBe(0);
});
