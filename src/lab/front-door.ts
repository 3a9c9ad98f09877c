import {Agent, type ClientRequest, createServer, type IncomingMessage, request, type Server, type ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {unavailable} from '../lib/errors.ts';
import type {DoorState} from './faults.ts';
import {sendJson} from './http-json.ts';
import {bind, type PortPicker} from './ports.ts';
import {chooseRegion, type Weights} from './weights.ts';

const DEADLINE_MS = 5000;
/** Nobody else should have taken its port meanwhile; a program that tries ports gives one back at once. */
const REOPEN_MS = 5000;

/** Where clients enter: every request goes to one region, chosen by the weights. It never tries a second one. */
export class FrontDoor {
  readonly #ports: ReadonlyMap<string, number>;
  readonly #agents = new Map<string, Agent>();
  readonly #open = new Map<string, Set<ClientRequest>>();
  readonly #server: Server;
  readonly #dice: () => number;
  readonly #clients = new Set<Socket>();
  #port = 0;
  #state: DoorState = 'open';
  /** One change at a time: it must not be closed while it opens. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Takes effect for the next request. */
  weights: Weights;

  /** `ports`: the http ingress of each region on 127.0.0.1. */
  constructor(ports: ReadonlyMap<string, number>, weights: Weights, dice: () => number = Math.random) {
    this.#ports = ports;
    this.#dice = dice;
    this.weights = weights;
    for (const region of ports.keys()) {
      this.#agents.set(region, new Agent({keepAlive: true, keepAliveMsecs: 1000}));
      this.#open.set(region, new Set());
    }
    this.#server = createServer((incoming, response) => this.#pass(incoming, response));
    this.#server.keepAliveTimeout = 60_000;
    // A door that fell silent must not answer 408 either.
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
    this.#server.on('connection', (client: Socket) => {
      this.#clients.add(client);
      client.once('close', () => this.#clients.delete(client));
    });
  }

  async listen(ports: PortPicker): Promise<number> {
    this.#port = await ports.listen(this.#server);
    return this.#port;
  }

  /**
   * Makes it serve, refuse or be silent. What was connected to a door that refuses, or was silent, is reset: nobody gets an answer later. Throws
   * RegionctlError `port-taken` when another program has its port now.
   */
  become(state: DoorState): Promise<void> {
    const turn = this.#queue.then(() => this.#turnTo(state));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Ends what is under way to a region: its clients get 502 at once. Answers how many. */
  cut(region: string): number {
    const open = [...(this.#open.get(region) ?? [])];
    for (const upstream of open) upstream.destroy(new Error('cut'));
    // Idle connections must not carry anything later either.
    this.#agents.get(region)?.destroy();
    return open.length;
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #turnTo(state: DoorState): Promise<void> {
    const before = this.#state;
    this.#state = state;
    if (state === 'closed') this.#server.close();
    if (state === 'closed' || (before === 'silent' && state !== before)) for (const client of this.#clients) client.resetAndDestroy();
    // An idle connection would be closed after a while, and that is an answer too.
    if (state === 'silent') for (const client of this.#clients) client.setTimeout(0);
    if (state !== 'closed') await this.#reopen();
  }

  async #reopen(): Promise<void> {
    const end = performance.now() + REOPEN_MS;
    while (!this.#server.listening && !(await bind(this.#server, this.#port))) {
      if (performance.now() > end) throw unavailable('port-taken', `another program has taken port ${this.#port} of the front door`);
      await sleep(20);
    }
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    // It is taken, and that is all.
    if (this.#state === 'silent') return;
    const region = chooseRegion(this.weights, this.#dice());
    const port = region === null ? undefined : this.#ports.get(region);
    if (region === null || port === undefined) {
      sendJson(response, 503, {error: 'no region takes traffic', outcome: 'refused'});
      return;
    }
    const upstream = request({
      host: '127.0.0.1',
      port,
      method: incoming.method,
      path: incoming.url,
      headers: {...incoming.headers, connection: 'keep-alive'},
      agent: this.#agents.get(region),
    });
    this.#watch(region, upstream, response);
    incoming.on('error', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  /** Answers what the region answers; 504 when it takes too long, 502 when it refuses or breaks off. */
  #watch(region: string, upstream: ClientRequest, response: ServerResponse): void {
    const headers = {'x-region': region};
    const open = this.#open.get(region);
    open?.add(upstream);
    const timer = setTimeout(() => {
      if (this.#state !== 'silent')
        sendJson(response, 504, {error: `${region} did not answer within ${DEADLINE_MS} ms`, outcome: 'unknown'}, headers);
      upstream.destroy();
    }, DEADLINE_MS);
    upstream.on('response', (answer) => {
      clearTimeout(timer);
      if (this.#state === 'silent') {
        answer.resume();
        return;
      }
      // These two speak of the connection to the region, not of the client's.
      const {connection: _, 'keep-alive': __, ...passed} = answer.headers;
      response.writeHead(answer.statusCode ?? 502, {...passed, 'x-region': region});
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      const outcome = error.code === 'ECONNREFUSED' ? 'refused' : 'unknown';
      if (this.#state === 'silent') return;
      if (response.headersSent) response.destroy();
      else sendJson(response, 502, {error: `${region} broke off: ${error.message}`, outcome}, headers);
    });
    upstream.on('close', () => {
      clearTimeout(timer);
      open?.delete(upstream);
    });
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
  }
}
