import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {messageOf} from '../lib/errors.ts';
import {readJson, sendJson} from './http-json.ts';
import {type Order, OrdersStore, type Outcome} from './orders-store.ts';

/** What a regional service needs to know; the password is in a file, never in an argument. `port` 0 = any. */
export type ServiceConfig = Trouble & {
  readonly region: string;
  readonly port: number;
  readonly postgresPort: number;
  /** Every region takes writes: nobody is a standby, and deleted orders are still there. */
  readonly peer: boolean;
  readonly passwordFile: string;
};

/** Which share of its requests a service answers with HTTP 500 instead of doing what they ask: 0 = none, 1 = all. Looked at for each request. */
export type Trouble = {readonly errorShare: number};

/** Starts the shop of one region: orders over HTTP, kept in the region's own database. It outlives its database. Answers its port. */
export async function startService(
  config: ServiceConfig,
  password: string,
  trouble: Trouble,
): Promise<{port: number; close(): Promise<void>}> {
  const store = await OrdersStore.open(config.postgresPort, password, config);
  const counts: Counts = {written: 0, refused: 0, unknown: 0};
  const server = createServer((request, response) => {
    if (Math.random() < trouble.errorShare) {
      request.resume();
      sendJson(response, 500, {error: 'the service failed (a fault of the lab)', region: config.region}, {'x-region': config.region});
      return;
    }
    answer({region: config.region, store, counts}, request, response).catch((error: unknown) => {
      sendJson(response, 500, {error: messageOf(error)}, {'x-region': config.region});
    });
  });
  // Longer than the front door keeps a connection: it must never send an order into one that is being closed.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({port: config.port, host: '127.0.0.1', exclusive: true}, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  return {port, close: () => closeAll(server, store)};
}

type Counts = Record<Outcome['outcome'], number>;
type Shop = {readonly region: string; readonly store: OrdersStore; readonly counts: Counts};

async function answer(shop: Shop, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://lab');
  const send = (status: number, body: unknown) => sendJson(response, status, body, {'x-region': shop.region});
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /healthz':
      return health(shop, send, false);
    case 'GET /readyz':
      return health(shop, send, true);
    case 'GET /metrics':
      response.writeHead(200, {'content-type': 'text/plain; version=0.0.4', 'x-region': shop.region}).end(metrics(shop));
      return;
    case 'POST /orders':
      return takeOrder(shop, request, send);
    case 'GET /orders':
      return listOrders(shop, url.searchParams, send);
    default:
      return send(404, {error: `no ${request.method} ${url.pathname} here`});
  }
}

type Send = (status: number, body: unknown) => void;

/** Asks the database every time. `ready` also wants it to take writes. */
async function health({region, store}: Shop, send: Send, ready: boolean): Promise<void> {
  try {
    const {role, writable} = await store.health();
    send(ready && !writable ? 503 : 200, {region, role, writable});
  } catch (error) {
    send(503, {region, error: messageOf(error)});
  }
}

async function takeOrder(shop: Shop, request: IncomingMessage, send: Send): Promise<void> {
  const order = orderOf(await readJson(request).catch(() => null));
  if (order === null) return send(400, {error: 'an order is {ref, item, quantity}'});
  const outcome = await shop.store.insert(order);
  shop.counts[outcome.outcome] += 1;
  if (outcome.outcome === 'written') return send(201, {id: outcome.id, ref: order.ref, region: shop.region});
  send(outcome.outcome === 'refused' ? 503 : 504, {error: outcome.reason, region: shop.region});
}

async function listOrders({region, store}: Shop, query: URLSearchParams, send: Send): Promise<void> {
  const limit = Math.min(10_000, Math.max(1, Number(query.get('limit') ?? 1000) || 1000));
  const after = Number(query.get('after') ?? 0) || 0;
  try {
    const orders = await store.list(query.get('prefix') ?? '', after, limit);
    send(200, {orders, region, next: orders.length < limit ? null : (orders.at(-1)?.id ?? null)});
  } catch (error) {
    send(503, {error: messageOf(error), region});
  }
}

function orderOf(body: unknown): Order | null {
  if (typeof body !== 'object' || body === null) return null;
  const {ref, item, quantity}: {ref?: unknown; item?: unknown; quantity?: unknown} = body;
  if (typeof ref !== 'string' || ref === '' || typeof item !== 'string') return null;
  return Number.isInteger(quantity) && Number(quantity) > 0 ? {ref, item, quantity: Number(quantity)} : null;
}

function metrics({region, counts}: Shop): string {
  const lines = Object.entries(counts).map(([outcome, count]) => `lab_orders_total{region="${region}",outcome="${outcome}"} ${count}`);
  return `# HELP lab_orders_total Orders by what became of them.\n# TYPE lab_orders_total counter\n${lines.join('\n')}\n`;
}

async function closeAll(server: ReturnType<typeof createServer>, store: OrdersStore): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await store.close();
}
