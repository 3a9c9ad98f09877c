import {describe, expect, it} from 'vitest';
import {carrierName, federationState, shovelState} from '../../../plugins/rabbitmq/src/carrier.ts';
import {linkSchema} from '../../../plugins/rabbitmq/src/link-schema.ts';
import {linkSpecs} from '../../../plugins/rabbitmq/src/link-spec.ts';
import {plain} from '../../../plugins/rabbitmq/src/management.ts';
import {literal} from '../../../plugins/rabbitmq/src/queue.ts';

const link = (more: object) => {
  const [made] = linkSpecs({orders: linkSchema.parse({from: 'us', to: 'eu', ...more})});
  if (made === undefined) throw new Error('no link');
  return made;
};
const shovel = link({shovel: 'in', queue: 'orders'});
const exchange = link({federation: 'us', exchange: 'news'});
// As RabbitMQ 3.10 tells them.
const seen = {name: 'in', vhost: '/', timestamp: '2026-11-27 17:15:57'};
const federated = {vhost: '/', upstream: 'us', exchange: 'news', upstream_exchange: 'news', timestamp: '2026-11-27 17:16:33'};

describe('a carrier', () => {
  it.each([
    ['runs', [{...seen, state: 'running'}], 'running', null],
    ['has no connection yet', [{...seen, state: 'starting'}], 'starting', 'it says starting since 2026-11-27 17:15:57 by its own clock'],
    [
      'is down, for a reason',
      [{...seen, state: 'terminated', reason: '"heartbeat timeout"'}],
      'down',
      'it says terminated since 2026-11-27 17:15:57 by its own clock: heartbeat timeout',
    ],
    [
      'runs on one node of several',
      [
        {...seen, state: 'terminated'},
        {...seen, state: 'running'},
      ],
      'running',
      null,
    ],
    ['is held up', [{...seen, state: 'running', blocked_status: 'blocked'}], 'running', 'its destination takes no messages now'],
    ['is another one', [{...seen, name: 'out', state: 'running'}], 'down', 'eu has no shovel of this name in the virtual host /'],
    [
      'is in another virtual host',
      [{...seen, vhost: 'b', state: 'running'}],
      'down',
      'eu has no shovel of this name in the virtual host /',
    ],
  ])('that is a shovel and %s', (_name, shovels, flow, trouble) => {
    expect(shovelState(shovel, shovels)).toMatchObject({flow, trouble});
  });

  it.each([
    ['runs', [{...federated, status: 'running'}], 'running', null],
    [
      'is refused',
      [{...federated, status: 'error', error: 'econnrefused'}],
      'down',
      'it says error since 2026-11-27 17:16:33 by its own clock: econnrefused',
    ],
    [
      'is of another exchange',
      [{...federated, exchange: 'olds', status: 'running'}],
      'down',
      'eu federates nothing of this name from us in the virtual host /',
    ],
  ])('that is a federation and %s', (_name, all, flow, trouble) => {
    expect(federationState(exchange, all)).toMatchObject({flow, trouble});
  });

  it('has a name for people', () => {
    expect([shovel, exchange].map(carrierName)).toEqual(['the shovel in on eu', 'the federation of news from us on eu']);
  });

  it('never shows the login in a URI that a broker quotes', () => {
    expect(plain('{error,"amqp://app:s3cret@mq:5672/%2f",\n closed}')).toBe('{error,"amqp://…@mq:5672/%2f", closed}');
    expect(plain('x'.repeat(500)).length).toBeLessThan(210);
  });
});

describe('a link of the fleet file', () => {
  it.each([
    [{from: 'us', to: 'us', shovel: 'in', queue: 'q'}, ['to'], 'both ends are us'],
    [{from: 'us', to: 'eu', queue: 'q'}, [], 'either a shovel or a federation'],
    [{from: 'us', to: 'eu', shovel: 'in', federation: 'us', queue: 'q'}, [], 'either a shovel or a federation'],
    [{from: 'us', to: 'eu', shovel: 'in'}, ['queue'], 'a shovel needs the queue that it drains'],
    [{from: 'us', to: 'eu', shovel: 'in', queue: 'q', exchange: 'x'}, ['exchange'], 'take exchange out'],
    [{from: 'us', to: 'eu', federation: 'us'}, [], 'either a queue or an exchange'],
    [{from: 'us', to: 'eu', federation: 'us', queue: 'q', exchange: 'x'}, [], 'either a queue or an exchange'],
    [{from: 'us', to: 'eu', federation: 'us', queue: 'q', on: 'us'}, ['on'], 'runs on the member in "to": eu'],
  ])('%j is refused', (value, path, says) => {
    const {success, error} = linkSchema.safeParse(value);
    expect(success).toBe(false);
    expect(error?.issues).toMatchObject([{path, message: expect.stringContaining(says)}]);
  });

  it('has its defaults filled in', () => {
    expect(shovel).toMatchObject({on: 'eu', vhost: '/', fromVhost: '/', deadLetters: null, federation: null});
    expect(link({shovel: 'out', queue: 'q', on: 'us', vhost: 'b'})).toMatchObject({on: 'us', vhost: 'b', fromVhost: 'b'});
  });

  it('names its queue so that a pattern matches it alone', () => {
    for (const name of ['orders', 'a.b-c', 'federation: news -> eu', 'x|y', '(a)', 'é', '[', '$^', 'a\\b']) {
      const pattern = new RegExp(`^(${literal(name)})$`);
      expect(pattern.test(name), name).toBe(true);
      expect(pattern.test(`${name}x`), name).toBe(false);
    }
    expect(new RegExp(`^(${literal('a.b')})$`).test('axb')).toBe(false);
  });
});
