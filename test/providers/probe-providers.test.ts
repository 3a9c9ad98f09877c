import {expect, it} from 'vitest';
import {builtinProviders} from '../../src/lib/providers/builtin.ts';
import type {ProbeProvider} from '../../src/lib/providers/define.ts';
import {httpProviders} from '../../src/lib/providers/http/provider.ts';
import {tcpProviders} from '../../src/lib/providers/tcp/provider.ts';
import {realClock as clock} from '../health/real-clock.ts';
import {fleet} from '../health/samples.ts';
import {http, listen, speaks} from './listener.ts';

const [httpProvider, tcpProvider] = [...httpProviders, ...tcpProviders] as ProbeProvider[];
const secrets = {reveal: async () => 's3cret', scrub: (text: string) => text};
const context = {fleet: fleet([]), secrets, clock, baseDir: '/fleet'};
const place = {region: 'eu', endpoint: 'app', timeoutMs: 1000};

it('name their kinds', () => {
  expect([httpProvider?.kind, tcpProvider?.kind]).toEqual(['http', 'tcp']);
});

it('ask what the fleet file says', async () => {
  const listener = await listen(speaks(http(204, '')));
  const asked = [
    {provider: httpProvider, config: {url: `http://127.0.0.1:${listener.port}/`, expectStatus: 204}},
    {provider: tcpProvider, config: {host: '127.0.0.1', port: listener.port}},
  ];
  for (const {provider, config} of asked) {
    const probe = await provider?.create(provider.schema.parse(config), place, context);
    expect(await probe?.check(new AbortController().signal)).toMatchObject({ok: true, code: 'ok'});
  }
  await listener.close();
});

it.each([
  ['a header with a literal', {url: 'http://a/', headers: {authorization: 'Bearer s3cret'}}],
  ['no header name', {url: 'http://a/', headers: {'x y': '$' + '{env:X}'}}],
  ['a header of a body', {url: 'http://a/', headers: {'Content-Length': '$' + '{env:X}'}}],
  ['a coding of a body', {url: 'http://a/', headers: {'transfer-encoding': '$' + '{env:X}'}}],
  ['an unknown field', {url: 'http://a/', expectState: 200}],
  ['no URL', {url: 'a'}],
  ['a status that is none', {url: 'http://a/', expectStatus: 99}],
  ['no JSON pointer', {url: 'http://a/', expectJson: {status: 'ok'}}],
  ['a list to compare with', {url: 'http://a/', expectJson: {'/a': [1]}}],
  ['redirects without an end', {url: 'http://a/', redirects: 99}],
])('http refuses %s', (_name, config) => {
  const parsed = httpProvider?.schema.safeParse(config);
  expect(parsed?.success).toBe(false);
  expect(JSON.stringify(parsed?.error?.issues)).not.toContain('s3cret');
});

it.each([[{host: '127.0.0.1'}], [{host: '', port: 1}], [{host: 'a', port: 0}], [{host: 'a', port: 1, path: '/'}]])(
  'tcp refuses %j',
  (config) => {
    expect(tcpProvider?.schema.safeParse(config).success).toBe(false);
  },
);

it.each([
  ['tls', {host: ''}],
  ['tls', {host: 'a', minValid: '14m'}],
  ['tls', {host: 'a', minValid: '9999d'}],
  ['dns', {name: 'a', record: 'HINFO'}],
  ['dns', {name: 'a', server: '10.0.0.53'}],
  ['dns', {name: 'a', expect: []}],
  ['exec', {run: []}],
  ['exec', {run: 'check_disk -w 80'}],
])('%s refuses %j', (kind, config) => {
  const provider = builtinProviders.find((each) => each.port === 'probe' && each.kind === kind) as ProbeProvider;
  expect(provider.schema.safeParse(config).success).toBe(false);
});

it('make their probes from what the fleet file says', async () => {
  for (const [kind, config] of [
    ['tls', {host: '127.0.0.1', port: 1}],
    ['dns', {name: 'a.invalid', server: '127.0.0.1:1'}],
    ['exec', {run: ['sh', '-c', 'echo "$REGIONCTL_REGION/$REGIONCTL_ENDPOINT in $PWD"']}],
  ] as const) {
    const provider = builtinProviders.find((each) => each.port === 'probe' && each.kind === kind) as ProbeProvider;
    const probe = await provider.create(provider.schema.parse(config), place, {...context, baseDir: '/'});
    const result = await probe.check(new AbortController().signal);
    expect(result.ok).toBe(kind === 'exec');
    if (kind === 'exec') expect(result.detail).toBe('eu/app in /');
  }
});
