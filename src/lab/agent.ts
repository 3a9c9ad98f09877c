import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {refused, usageError} from '../lib/errors.ts';
import {isAuthorized, readJson, sendJson, sendProblem} from './http-json.ts';
import type {RegionMachine} from './region-machine.ts';

/** What an agent needs of its surroundings. `thawed` resolves when the region is not frozen: a frozen machine's agent does not answer either. */
export type AgentOptions = {readonly machine: RegionMachine; readonly token: string; readonly thawed: () => Promise<void>};

/** The agent on a region's machine: what one can do to its database without SQL. */
export function createAgent(options: AgentOptions): Server {
  return createServer((request, response) => {
    serve(options, request, response).catch((error: unknown) => sendProblem(response, error));
  });
}

async function serve(options: AgentOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const {machine} = options;
  const body = await readJson(request);
  await options.thawed();
  // Who has given up must not be obeyed later.
  if (response.destroyed || request.socket.destroyed) return;
  if (!isAuthorized(request, options.token)) return sendJson(response, 401, {error: {code: 'unauthorized', message: 'wrong token'}});
  const [, member, verb] = /^\/members\/([^/]+)(?:\/([a-z]+))?$/.exec(request.url ?? '') ?? [];
  if (member === undefined) return sendJson(response, 404, {error: {code: 'not-found', message: `no ${request.url} here`}});
  if (decodeURIComponent(member) !== machine.name) throw refused('other-region', `this is the agent of ${machine.name}, not of ${member}`);
  switch (`${request.method} ${verb ?? ''}`) {
    case 'GET ':
      return sendJson(response, 200, statusOf(machine));
    case 'POST stop':
      await machine.stopMember();
      return sendJson(response, 200, statusOf(machine));
    case 'POST start':
      await start(machine, body);
      return sendJson(response, 200, statusOf(machine));
    case 'POST rebuild':
      return sendJson(response, 200, await rebuild(machine, fieldOf(body, 'upstream'), response));
    default:
      return sendJson(response, 404, {error: {code: 'not-found', message: `no ${request.method} ${request.url} here`}});
  }
}

/** Without `as` it starts as its data says; with the upstream null it is a standby of nobody. */
function start(machine: RegionMachine, body: unknown): Promise<void> {
  const {as, upstream} = Object(body) as {as?: unknown; upstream?: unknown};
  if (as === undefined) return machine.startMember();
  if (as !== 'standby') throw usageError('as must be "standby", or absent to start the server as its data says');
  return machine.startStandby(upstream === null ? null : fieldOf(body, 'upstream'));
}

/** A caller that goes away ends the copying. */
function rebuild(machine: RegionMachine, upstream: string, response: ServerResponse): Promise<{bytes: number}> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return machine.rebuild(upstream, gone.signal);
}

function statusOf(machine: RegionMachine): {running: boolean; detail: string} {
  const {role} = machine;
  return {running: role !== null, detail: role === null ? 'the server is stopped' : `the server runs as ${role}`};
}

function fieldOf(body: unknown, name: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  if (typeof value !== 'string' || value === '') throw usageError(`${name} is missing`);
  return value;
}
