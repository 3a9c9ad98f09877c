import {expect, it} from 'vitest';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import {parseReference} from '../../../src/lib/fleet/references.ts';
import type {Notice} from '../../../src/lib/ports/notifier.ts';
import type {NotifierProvider, ProviderContext} from '../../../src/lib/providers/define.ts';
import {execProviders} from '../../../src/lib/providers/exec/provider.ts';
import {webhookProviders} from '../../../src/lib/providers/webhook/provider.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {fleet} from '../../health/samples.ts';
import {receive} from './receiver.ts';

const [webhook, exec] = [...webhookProviders, ...execProviders] as NotifierProvider[];

const notice: Notice = {
  ...{kind: 'start', fleet: 'shop', runId: 'run-1', run: {kind: 'drill', from: null, to: null}},
  ...{at: '2026-01-02T03:04:05.678Z', says: 'it starts', detail: null},
};

/** A fleet whose notifier `chat` has 250 ms for a delivery. */
function context(): ProviderContext {
  const notifier = {kind: 'webhook', config: {}, path: ['notify', 'chat']};
  const known: Fleet = {...fleet([]), notifiers: [{name: 'chat', on: ['start'], timeoutMs: 250, notifier}]};
  return {fleet: known, secrets: {reveal: async () => 's3cret', scrub: (text) => text}, clock, baseDir: '/'};
}

it('name their kinds', () => {
  expect([webhook, exec].map((provider) => [provider?.port, provider?.kind])).toEqual([
    ['notifier', 'webhook'],
    ['notifier', 'exec'],
  ]);
});

it('deliver within the time that the fleet file gives them', async () => {
  const silent = await receive(() => undefined);
  const late = {code: 'notice-undelivered', message: expect.stringContaining('within 250 ms')};
  const chat = await webhook?.create(webhook.schema.parse({url: silent.url}), 'chat', context());
  await expect(chat?.deliver(notice, new AbortController().signal)).rejects.toMatchObject(late);
  await silent.close();
  const sleeper = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
  const page = await exec?.create(exec.schema.parse({run: sleeper}), 'chat', context());
  await expect(page?.deliver(notice, new AbortController().signal)).rejects.toMatchObject({
    code: 'notice-failed',
    message: expect.stringContaining('250 ms'),
  });
});

it('send the token of the fleet file', async () => {
  const receiver = await receive();
  const token = `\${env:CHAT_TOKEN}`;
  const config = webhook?.schema.parse({url: receiver.url, token});
  expect(String((config as {token: unknown}).token)).toBe(String(parseReference(token)));
  await (await webhook?.create(config, 'chat', context()))?.deliver(notice, new AbortController().signal);
  expect(receiver.arrivals.map(({headers}) => headers.authorization)).toEqual(['Bearer s3cret']);
  await receiver.close();
});

it.each([
  ['a literal token', webhook, {url: 'http://a/', token: 's3cret'}],
  ['no URL', webhook, {token: `\${env:X}`}],
  ['a URL with a password', webhook, {url: 'http://u:p@a/'}],
  ['an unknown key', webhook, {url: 'http://a/', headers: {}}],
  ['a command as text', exec, {run: 'page oncall'}],
  ['no command', exec, {run: []}],
  ['a shell', exec, {run: ['page'], shell: true}],
])('refuse %s', (_, provider, config) => {
  const parsed = provider?.schema.safeParse(config);
  expect(parsed?.success).toBe(false);
  expect(JSON.stringify(parsed?.error?.issues)).not.toContain('s3cret');
});
