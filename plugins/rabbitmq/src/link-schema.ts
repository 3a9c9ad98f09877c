import {z} from 'regionctl/kit';

const name = z.string().min(1);

/** One link between two members: a shovel, or a federation of an exchange or a queue. */
export const linkSchema = z
  .strictObject({
    from: name.describe('Member that the messages come from.'),
    to: name.describe('Member that they go to.'),
    on: name.optional().describe('Member whose broker runs the shovel. Default: to. Federation always runs there.'),
    shovel: name.optional().describe('Name of the shovel.'),
    federation: name.optional().describe('Name of the upstream, as the broker of the member in "to" knows it.'),
    queue: name.optional().describe('Queue that the shovel drains on the member in "from", or that is federated.'),
    exchange: name.optional().describe('Exchange that is federated.'),
    vhost: name.default('/').describe('Virtual host of the shovel, or of the federated exchange or queue. Default /.'),
    fromVhost: name.optional().describe('Virtual host of the queue on the member in "from". Default: vhost.'),
    deadLetters: name
      .optional()
      .describe("Queue beside it that takes what the link's queue rejects. Default: what its dead letter exchange leads to."),
  })
  .superRefine((link, context) => {
    const [key, message] = faultOf(link);
    if (message !== null) context.addIssue({code: 'custom', path: key === null ? [] : [key], message, input: undefined});
  });

type Keys = {
  readonly from: string;
  readonly to: string;
  readonly on?: string | undefined;
  readonly shovel?: string | undefined;
  readonly federation?: string | undefined;
  readonly queue?: string | undefined;
  readonly exchange?: string | undefined;
};

/** The first thing that does not fit together, with the key that it is about; null = nothing. */
function faultOf({from, to, on, shovel, federation, queue, exchange}: Keys): readonly [string | null, string | null] {
  if (from === to) return ['to', `a link leads from one member to another: both ends are ${from}`];
  if ((shovel === undefined) === (federation === undefined)) return [null, 'a link has either a shovel or a federation'];
  if (shovel !== undefined && queue === undefined) return ['queue', 'a shovel needs the queue that it drains'];
  if (shovel !== undefined && exchange !== undefined)
    return ['exchange', 'a shovel is known by the queue that it drains: take exchange out'];
  if (federation !== undefined && (queue === undefined) === (exchange === undefined))
    return [null, 'a federation has either a queue or an exchange'];
  if (federation !== undefined && on !== undefined && on !== to) return ['on', `a federation runs on the member in "to": ${to}`];
  return [null, null];
}
