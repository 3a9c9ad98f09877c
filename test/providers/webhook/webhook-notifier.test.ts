import {describe, expect, it} from 'vitest';
import {notifierContract} from '../../../src/kit/testing.ts';
import {secretReference} from '../../../src/lib/fleet/references.ts';
import {scrubber} from '../../../src/lib/fleet/scrub.ts';
import type {SecretVault} from '../../../src/lib/fleet/secrets.ts';
import type {Notice} from '../../../src/lib/ports/notifier.ts';
import {type Webhook, webhookNotifier} from '../../../src/lib/providers/webhook/webhook-notifier.ts';
import {deadPort} from '../listener.ts';
import {type Receiver, receive} from './receiver.ts';

const TOKEN = 'hunter2-hunter2';
const token = secretReference('env', 'HOOK_TOKEN');

function vault(): SecretVault {
  const {add, scrub} = scrubber();
  return {
    reveal: async () => {
      add(TOKEN);
      return TOKEN;
    },
    scrub,
  };
}

const notifier = (url: string, more: Partial<Webhook> = {}) => webhookNotifier({url, token, timeoutMs: 10_000, secrets: vault(), ...more});

const notice: Notice = {
  ...{kind: 'result', fleet: 'shop', runId: 'run-1', run: {kind: 'failover', from: 'us-east', to: null}},
  ...{at: '2026-01-02T03:04:05.678Z', says: 'the run succeeded', detail: null},
};

notifierContract({describe, it, expect}, async () => {
  const [taking, refusing, hanging] = await Promise.all([
    receive(),
    receive((response) => void response.writeHead(401).end(`no such token: ${TOKEN}`)),
    receive(() => undefined),
  ]);
  return {
    notifier: notifier(taking.url),
    received: async () => taking.arrivals.map(({body}) => JSON.parse(body) as unknown),
    refusing: notifier(refusing.url),
    unreachable: notifier(`http://127.0.0.1:${await deadPort()}`),
    hanging: notifier(hanging.url, {timeoutMs: 300}),
    secrets: [TOKEN],
    close: async () => {
      await Promise.all([taking, refusing, hanging].map((each) => each.close()));
    },
  };
});

describe('the webhook notifier', () => {
  type Seen = {readonly outcome: unknown; readonly receiver: Receiver};

  /** Delivers one notice, and answers how that ended and what arrived. */
  async function deliver(talk?: Parameters<typeof receive>[0], told = notice, more: Partial<Webhook> = {}): Promise<Seen> {
    const receiver = await receive(talk);
    try {
      const outcome = await notifier(`${receiver.url}/services/T0/very-private?key=k`, more)
        .deliver(told, new AbortController().signal)
        .catch((error: unknown) => error);
      return {outcome, receiver};
    } finally {
      await receiver.close();
    }
  }

  it('posts JSON with the token as bearer', async () => {
    const {outcome, receiver} = await deliver();
    expect(outcome).toBe(undefined);
    expect(receiver.arrivals).toMatchObject([
      {
        ...{method: 'POST', path: '/services/T0/very-private?key=k', body: JSON.stringify(notice)},
        headers: {'content-type': 'application/json', 'user-agent': 'regionctl', authorization: `Bearer ${TOKEN}`},
      },
    ]);
  });

  it('sends no authorization without a token', async () => {
    const {receiver} = await deliver(undefined, notice, {token: null});
    expect(receiver.arrivals.map(({headers}) => headers.authorization)).toEqual([undefined]);
  });

  it('is done with the status: a body that never ends is of no interest', async () => {
    const {outcome, receiver} = await deliver((response) => void response.writeHead(200).write('thank you, and '));
    expect([outcome, receiver.attempts()]).toEqual([undefined, 1]);
  });

  it.each([500, 503, 429, 404])('does not try again after %i, and shows what the other side says', async (status) => {
    const {outcome, receiver} = await deliver((response) => void response.writeHead(status).end('come\r\nback later'));
    expect(receiver.attempts()).toBe(1);
    const host = new URL(receiver.url).host;
    expect(outcome).toMatchObject({code: 'notice-refused', exit: 69, message: `${host} answered ${status}: come back later`});
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect (%i), and takes the token nowhere else', async (status) => {
    const elsewhere = await receive();
    try {
      const {outcome, receiver} = await deliver((response) => void response.writeHead(status, {location: elsewhere.url}).end());
      expect([receiver.attempts(), elsewhere.attempts()]).toEqual([1, 0]);
      expect(outcome).toMatchObject({code: 'notice-refused', exit: 69, message: expect.stringContaining('redirects are not followed')});
    } finally {
      await elsewhere.close();
    }
  });

  it('tries once more when the connection breaks', async () => {
    const {outcome, receiver} = await deliver((response, attempt) => (attempt === 1 ? response.destroy() : response.writeHead(204).end()));
    expect([outcome, receiver.attempts()]).toEqual([undefined, 2]);
  });

  it('gives up when it breaks twice', async () => {
    const {outcome, receiver} = await deliver((response) => void response.destroy());
    expect(receiver.attempts()).toBe(2);
    expect(outcome).toMatchObject({code: 'notice-undelivered', exit: 69});
  });

  it('names host and port only: the path of an address may be a secret', async () => {
    const {outcome: refused} = await deliver((response) => void response.writeHead(403).end());
    const {outcome: broken} = await deliver((response) => void response.destroy());
    const unreachable = notifier(`http://127.0.0.1:${await deadPort()}/services/T0/very-private?key=k`);
    const dead = await unreachable.deliver(notice, new AbortController().signal).catch((error: unknown) => error);
    for (const error of [refused, broken, dead]) {
      expect((error as Error).message).toMatch(/^127\.0\.0\.1:\d+ /);
      expect((error as Error).message).not.toMatch(/very-private|key=/);
    }
  });

  it('never passes a secret on', async () => {
    const {receiver} = await deliver(undefined, {...notice, says: `it was ${TOKEN}`});
    expect(receiver.arrivals.map(({body}) => (JSON.parse(body) as Notice).says)).toEqual(['it was •••']);
  });

  it('tells nobody when there is no token to be had', async () => {
    const missing: SecretVault = {...vault(), reveal: () => Promise.reject(new Error('the environment variable HOOK_TOKEN is not set'))};
    const {outcome, receiver} = await deliver(undefined, notice, {secrets: missing});
    expect(outcome).toMatchObject({message: 'the environment variable HOOK_TOKEN is not set'});
    expect(receiver.attempts()).toBe(0);
  });
});
