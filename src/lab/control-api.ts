import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {messageOf, usageError} from '../lib/errors.ts';
import type {FaultKinds} from './fault-desk.ts';
import {parseFault} from './fault-request.ts';
import {type ActiveFault, type EndedFault, FRONT_DOOR} from './faults.ts';
import {isAuthorized, readJson, sendJson, sendProblem} from './http-json.ts';
import type {LabStatus} from './lab-status.ts';
import {parseWeights, type Weights} from './weights.ts';

/** What the control port can ask of the lab. */
export type ControlledLab = {
  readonly regions: readonly string[];
  status(): LabStatus;
  weights(): Weights;
  setWeights(weights: Weights): void;
  cut(region: string): number;
  faults(): readonly ActiveFault[];
  endedFaults(): readonly EndedFault[];
  faultKinds(): Promise<FaultKinds>;
  inject(fault: ActiveFault): Promise<void>;
  heal(region: string): Promise<void>;
  /** Ends the lab; the answer is sent first. */
  shutdown(): void;
};

/** The lab's control interface: JSON over HTTP, with a bearer token. */
export function createControl(lab: ControlledLab, token: string): Server {
  return createServer((request, response) => {
    if (!isAuthorized(request, token)) {
      sendJson(response, 401, {error: {code: 'unauthorized', message: 'wrong token'}});
      return;
    }
    serve(lab, request, response).catch((error: unknown) => sendProblem(response, error));
  });
}

async function serve(lab: ControlledLab, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await asked(() => readJson(request));
  const path = new URL(request.url ?? '/', 'http://lab').pathname;
  const send = (answer: unknown) => sendJson(response, 200, answer);
  switch (`${request.method} ${path}`) {
    case 'GET /status':
      return send(lab.status());
    case 'GET /routes/front-door':
      return send({weights: lab.weights()});
    case 'PUT /routes/front-door':
      lab.setWeights(await asked(() => parseWeights(fieldOf(body, 'weights'), lab.regions)));
      return send({weights: lab.weights()});
    case 'POST /routes/front-door/cut':
      return send({cut: lab.cut(knownRegion(lab, fieldOf(body, 'region')))});
    case 'GET /faults':
      return send({faults: lab.faults(), ended: lab.endedFaults()});
    case 'GET /faults/kinds':
      return send(await lab.faultKinds());
    case 'POST /faults': {
      const fault = await asked(() => parseFault(body, lab.regions, Date.now()));
      await lab.inject(fault);
      return send({fault});
    }
    case 'POST /shutdown':
      send({stopping: true});
      return lab.shutdown();
    default:
      return healOrNothing(lab, request.method ?? '', path, response);
  }
}

async function healOrNothing(lab: ControlledLab, method: string, path: string, response: ServerResponse): Promise<void> {
  const [, region] = /^\/faults\/([^/]+)$/.exec(path) ?? [];
  if (method !== 'DELETE' || region === undefined) {
    return sendJson(response, 404, {error: {code: 'not-found', message: `no ${method} ${path} here`}});
  }
  const place = decodeURIComponent(region);
  await lab.heal(place === FRONT_DOOR ? place : knownRegion(lab, place));
  sendJson(response, 200, {faults: lab.faults()});
}

/** What fails here is the caller's to mend. */
async function asked<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw usageError(messageOf(error));
  }
}

function knownRegion(lab: ControlledLab, region: unknown): string {
  if (typeof region === 'string' && lab.regions.includes(region)) return region;
  throw usageError(`unknown region ${JSON.stringify(region)}; the lab has ${lab.regions.join(', ')}`);
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}
