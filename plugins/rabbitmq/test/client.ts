import {type ChannelModel, connect} from 'amqplib';

/** Who talks to a broker on loopback. */
export type Client = {readonly port: number; readonly user: string; readonly password: string};

const open = ({port, user: username, password}: Client): Promise<ChannelModel> =>
  connect({hostname: '127.0.0.1', port, username, password});

/** Messages that are confirmed by the broker. `stamped`: with the time of now. */
export async function publish(
  client: Client,
  exchange: string,
  key: string,
  {count, stamped}: {count: number; stamped: boolean},
): Promise<void> {
  const connection = await open(client);
  const channel = await connection.createConfirmChannel();
  const properties = stamped ? {timestamp: Math.floor(Date.now() / 1000)} : {};
  for (let number = 0; number < count; number += 1)
    channel.publish(exchange, key, Buffer.from(String(number)), {persistent: true, ...properties});
  await channel.waitForConfirms();
  await connection.close();
}

/** Takes what is in a queue, and what comes within a moment. */
export async function take(client: Client, queue: string, count: number): Promise<string[]> {
  const connection = await open(client);
  const channel = await connection.createChannel();
  const taken: string[] = [];
  await new Promise<void>((resolve) => {
    const end = setTimeout(resolve, 10_000);
    channel
      .consume(queue, (message) => {
        if (message === null) return;
        taken.push(message.content.toString());
        channel.ack(message);
        if (taken.length < count) return;
        clearTimeout(end);
        // What came twice is there by then.
        setTimeout(resolve, 200);
      })
      .catch(() => resolve());
  });
  await connection.close();
  return taken;
}
