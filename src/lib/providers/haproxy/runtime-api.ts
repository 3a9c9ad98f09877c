import {connect} from 'node:net';
import {timeoutAwake} from '../../awake.ts';
import {messageOf, unavailable} from '../../errors.ts';

/** Where the runtime API of one HAProxy is. `name` is for people. */
export type RuntimePlace = {
  readonly name: string;
  readonly to: {readonly host: string; readonly port: number} | {readonly path: string};
};

/** How one command is bounded: by its own deadline and by the signal, whichever is first. */
export type Bounds = {readonly deadlineMs: number; readonly signal: AbortSignal};

/** Thousands of servers fit; what is longer comes from something that is no HAProxy. */
const LARGEST_CHARACTERS = 16 * 1024 * 1024;

/**
 * Sends one command over a connection of its own, and answers the reply as it came. Throws `router-unreachable` (exit 69) when it is not
 * complete in time, or the reason of the signal.
 */
export async function ask(place: RuntimePlace, command: string, {deadlineMs, signal}: Bounds): Promise<string> {
  // The interface takes several commands on one line, and a payload after `<<`. Whatever a name holds, it must stay one.
  if (!/^[a-z]+[ A-Za-z0-9_.:/-]*$/.test(command)) throw new Error('not a command that may be sent to HAProxy');
  signal.throwIfAborted();
  const deadline = timeoutAwake(Math.max(1, Math.floor(deadlineMs)));
  const reply = await exchange(place, command, AbortSignal.any([signal, deadline])).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unreachable(place, deadline.aborted ? `no answer within ${Math.floor(deadlineMs)} ms` : messageOf(error), error);
  });
  // Every reply ends with an empty line, also one that is nothing else.
  if (!/(^|\n)\n$/.test(reply)) throw unreachable(place, `it closed the connection in the middle of its answer to "${command}"`);
  return reply;
}

/** A command that answers nothing when it succeeded: any text says why it did not. Throws `haproxy-refused` (exit 69) with it. */
export async function order(place: RuntimePlace, command: string, bounds: Bounds): Promise<void> {
  const reply = firstLine(await ask(place, command, bounds));
  if (reply === '') return;
  throw unavailable('haproxy-refused', `${place.name} says to "${command}": ${reply}`, {suggestions: adviceOn(reply)});
}

/** The first line of a reply, short enough for an error message. */
export function firstLine(reply: string): string {
  const [line = ''] = reply.trim().split('\n');
  return line.replace(/\p{Cc}/gu, ' ').slice(0, 200);
}

function exchange({to}: RuntimePlace, command: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect({...to, signal});
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (text: string) => {
      reply += text;
      if (reply.length > LARGEST_CHARACTERS) socket.destroy(new Error('its answer does not end'));
    });
    socket.on('close', () => resolve(reply));
    socket.write(`${command}\n`);
  });
}

function unreachable({name}: RuntimePlace, why: string, cause?: unknown): Error {
  return unavailable('router-unreachable', `${name} does not answer: ${why}`, cause === undefined ? {} : {cause});
}

/** What to do about a refusal, where that is known. */
export function adviceOn(reply: string): readonly string[] {
  if (/permission denied/i.test(reply)) return ['give the stats socket of HAProxy "level admin"'];
  if (/static lb algorithm/i.test(reply))
    return [
      'use an algorithm that takes weights while it runs, such as roundrobin or leastconn; a static one takes only 0 and the weight that is configured',
    ];
  return [];
}
