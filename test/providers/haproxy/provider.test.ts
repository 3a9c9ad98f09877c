import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import type {ProviderContext, RouterProvider} from '../../../src/lib/providers/define.ts';
import {haproxyProviders} from '../../../src/lib/providers/haproxy/provider.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {fleet} from '../../health/samples.ts';
import {scriptedRuntime} from './scripted-runtime.ts';

const [provider] = haproxyProviders as RouterProvider[];
const servers = {us: ['be/us1', 'be/us2'], eu: ['be/eu1']};

function context(weights: Readonly<Record<string, number>> = {us: 100, eu: 0}, baseDir = '/fleet'): ProviderContext {
  const router = {kind: 'haproxy', config: {}, path: ['routes', 'front-door']};
  const regions = ['us', 'eu'].map((name) => ({...fleet([]).regions[0], name, endpoints: []}));
  const known = {...fleet([]), regions, routes: [{name: 'front-door', router, weights, url: null}]} as unknown as Fleet;
  return {fleet: known, secrets: {reveal: async () => '', scrub: (text) => text}, clock, baseDir};
}

const problems = (config: unknown): string[] => provider?.schema.safeParse(config).error?.issues.map(({message}) => message) ?? [];

describe('the haproxy part of the fleet file', () => {
  it.each([
    [{servers, address: '127.0.0.1:25999'}],
    [{servers, socket: '/run/haproxy/admin.sock', stateFile: 'haproxy.state'}],
    [{servers, instances: [{address: '10.0.0.1:25999'}, {socket: 'admin.sock', stateFile: 'state'}]}],
    [{servers: {us: ['web_1.example:x-2/srv:1.a']}, address: '[::1]:1'}],
  ])('takes %j', (config) => expect(problems(config)).toEqual([]));

  it.each([
    [{servers}, 'write one of address, socket and instances'],
    [{servers, address: 'h:1', socket: '/s'}, 'write one of address, socket and instances'],
    [{servers, address: 'h:1', instances: [{address: 'h:2'}]}, 'write one of address, socket and instances'],
    [{servers, instances: [{address: 'h:1', socket: '/s'}]}, 'each HAProxy has either an address or a socket'],
    [{servers, instances: [{stateFile: 'state'}]}, 'each HAProxy has either an address or a socket'],
    [{servers, instances: [{address: 'h:1'}], stateFile: 'state'}, 'each of the instances has a stateFile of its own'],
    [{servers: {us: ['be/a'], eu: ['be/a']}, address: 'h:1'}, 'be/a stands there twice'],
    [{servers: {us: ['be/a', 'be/a']}, address: 'h:1'}, 'be/a stands there twice'],
  ])('refuses %j', (config, problem) => expect(problems(config)).toContain(problem));

  it.each([
    'us1',
    'be/',
    '/us1',
    'be/us1/x',
    'be/us1 state ready',
    'be/us1;shutdown frontend front',
    'be/us1\n',
    'be/us1\nshow info',
    'be/us1\r',
    'be/us1\t',
    'be/#1',
    'be/*',
    'be/$(id)',
    'be/üs1',
    'be/us1\u0000',
    '',
  ])('lets no name through that is more than a name: %j', (name) => {
    expect(problems({servers: {us: [name]}, address: 'h:1'}).join()).toMatch(/not a server of HAProxy/);
  });

  it('wants regions that the fleet has, with servers for each that has a weight', async () => {
    const create = (given: Record<string, string[]>) =>
      provider?.create({servers: given, address: {host: 'h', port: 1}}, 'front-door', context());
    await expect(create({...servers, ap: ['be/ap1']})).rejects.toMatchObject({
      ...{code: 'fleet-invalid', exit: 78},
      message: 'routes.front-door.servers: the fleet has no region "ap"; it has us, eu',
    });
    await expect(create({us: ['be/us1']})).rejects.toMatchObject({
      ...{code: 'fleet-invalid', exit: 78},
      message: 'routes.front-door.servers: eu has a weight there, and no servers',
    });
  });
});

it('reaches HAProxy over TCP and over a UNIX socket, with paths relative to the fleet file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-test-'));
  const api = await scriptedRuntime({'be/us1': {}, 'be/us2': {}, 'be/eu1': {}});
  // The same runtime API, through a UNIX socket.
  const {connect} = await import('node:net');
  const door = createServer((socket) => socket.pipe(connect(api.port, '127.0.0.1')).pipe(socket));
  await new Promise<void>((resolve) => door.listen(join(dir, 'admin.sock'), resolve));
  try {
    const config = provider?.schema.parse({
      servers,
      instances: [
        {address: `127.0.0.1:${api.port}`, stateFile: 'one'},
        {socket: 'admin.sock', stateFile: 'two'},
      ],
    });
    const router = await provider?.create(config, 'front-door', context({us: 100, eu: 0}, dir));
    const signal = new AbortController().signal;
    const ctx = {runId: 'r', token: 't', signal, now: () => performance.now(), deadline: performance.now() + 20_000};
    await router?.write(ctx, {us: 20, eu: 0});
    expect(await router?.read(signal)).toEqual({us: 20, eu: 0});
    expect(['one', 'two'].map((name) => readFileSync(join(dir, name), 'utf8')).every((text) => text.startsWith('1\n# be_id'))).toBe(true);
  } finally {
    door.close();
    await api.close();
    rmSync(dir, {recursive: true, force: true});
  }
});
