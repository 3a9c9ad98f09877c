import {once} from 'node:events';
import type {Socket} from 'node:net';
import {unavailable} from '../../errors.ts';
import type {SecretVault} from '../../fleet/secrets.ts';
import type {Meter} from '../meter.ts';
import {secureOver} from '../tls/secure-over.ts';
import type {Dial, Line, Outcome} from '../write-lines.ts';
import type {Place} from './client.ts';
import {prepare} from './credentials.ts';
import {refusalOf} from './refusal.ts';
import {type AnyReply, encode, replyAt} from './resp.ts';

/** A connection that has been let in. Replies are told as they come, in the order of the commands. */
export type Talk = {
  /** Sends commands at once; `told` hears each reply, or null when the connection broke. Not before the ones before it were all answered. */
  ask(commands: readonly (readonly string[])[], told: (replies: readonly AnyReply[] | null) => void): void;
  destroy(): void;
};

export type TalkTo = {readonly place: Place; readonly secrets: SecretVault; readonly meter: Meter};

/** How long a list of writes is kept after the last of them, in seconds: nothing stays for ever, even if nobody cleans up. */
export const KEPT_SECONDS = 24 * 3600;

/** The list of a run. A write that is done twice stands in it twice. */
export const keyOf = (run: string): string => `regionctl:witness:${run}:writes`;

/** One write, and its end in a day, or neither. */
export const writeOf = (key: string, ref: string): readonly (readonly string[])[] => [
  ['MULTI'],
  ['RPUSH', key, ref],
  ['EXPIRE', key, String(KEPT_SECONDS)],
  ['EXEC'],
];

/** Begins a connection to a member. Whoever stands still takes it and says nothing: only one that answers is a line. */
export function dialRedis(to: TalkTo, run: string, gone: () => void): Dial {
  const over = new AbortController();
  let state: 'new' | 'accepted' | 'over' = 'new';
  const heard = (): void => {
    state = 'accepted';
  };
  const line = talk(to, {signal: over.signal, accepted: heard, gone})
    .finally(() => {
      state = 'over';
    })
    .then((made) => lineOver(made, keyOf(run)));
  line.catch(() => undefined);
  return {line, isAccepted: () => state === 'accepted', drop: () => over.abort(new Error('it took too long'))};
}

function lineOver(talking: Talk, key: string): Line {
  let mine = 0;
  return {
    write(ref, ended) {
      mine += 1;
      const turn = mine;
      talking.ask(writeOf(key, ref), (replies) => {
        if (turn === mine) ended(outcomeOf(replies));
      });
      return () => {
        mine += 1;
        talking.destroy();
        return 'unknown';
      };
    },
    destroy: () => talking.destroy(),
  };
}

/** Done is what EXEC says so of. An error of any of the commands discards all of them. */
export function outcomeOf(replies: readonly AnyReply[] | null): Outcome {
  const last = replies?.at(-1);
  if (last?.kind === 'list' && last.texts.length === 2) return 'acknowledged';
  return last?.kind === 'error' ? 'failed' : 'unknown';
}

type Life = {readonly signal: AbortSignal; readonly accepted: () => void; readonly gone: () => void};

/** Connects, logs in and asks whether anybody is there. Throws the system's error, or a RegionctlError for a refusal. */
export async function talk({place, secrets, meter}: TalkTo, {signal, accepted, gone}: Life): Promise<Talk> {
  const [{connect}, ready] = await Promise.all([import('node:net'), prepare(place, secrets)]);
  if ('trouble' in ready) throw unavailable(ready.trouble.code, `${place.label}: ${ready.trouble.detail}`);
  signal.throwIfAborted();
  const plain = connect({host: place.host, port: place.port, noDelay: true});
  // Stays for the socket's life: an error between two writes must not become an uncaught one.
  plain.on('error', () => undefined);
  const cut = (): void => void plain.destroy();
  signal.addEventListener('abort', cut, {once: true});
  try {
    await once(plain, 'connect', {signal});
    accepted();
    const socket = place.tls === null ? plain : await secureOver(plain, {...ready, serverName: place.tls.serverName}, signal);
    const talking = talkOver(socket, meter, gone);
    const login = ready.password === null ? [] : [['AUTH', ...(place.user === null ? [] : [place.user]), ready.password]];
    await letIn(talking, [...login, ['PING']], place, secrets);
    signal.removeEventListener('abort', cut);
    return talking;
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

function letIn(talking: Talk, commands: readonly (readonly string[])[], place: Place, secrets: SecretVault): Promise<void> {
  return new Promise((resolve, reject) => {
    talking.ask(commands, (replies) => {
      const wrong = replies?.findIndex(({kind}) => kind !== 'line') ?? 0;
      if (replies !== null && wrong === -1) return resolve();
      const reply = replies?.[wrong];
      const asked = commands[wrong]?.[0] ?? 'PING';
      if (reply?.kind !== 'error')
        return reject(unavailable('reset', `${place.label}: ${place.host}:${place.port} broke the connection off`));
      const {code, says} = refusalOf(reply.text, asked, secrets.scrub);
      reject(unavailable(code, `${place.label}: ${place.host}:${place.port} ${says}`));
    });
  });
}

function talkOver(socket: Socket, meter: Meter, gone: () => void): Talk {
  let bytes: Buffer = Buffer.alloc(0);
  let asked: {readonly many: number; readonly replies: AnyReply[]; readonly told: (replies: readonly AnyReply[] | null) => void} | null =
    null;
  const end = (replies: readonly AnyReply[] | null): void => {
    const was = asked;
    asked = null;
    was?.told(replies);
  };
  const read = (): void => {
    for (let next = replyAt(bytes); next !== null && bytes.length > 0; next = replyAt(bytes)) {
      bytes = bytes.subarray(next.length);
      if (next.reply.kind === 'garbage' || asked === null) return void socket.destroy();
      asked.replies.push(next.reply);
      if (asked.replies.length === asked.many) end(asked.replies);
    }
  };
  socket.on('data', (chunk: Buffer) =>
    meter.around(() => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      read();
    }),
  );
  socket.once('close', () => {
    gone();
    end(null);
  });
  return {
    ask(commands, told) {
      asked = {many: commands.length, replies: [], told};
      if (socket.destroyed) return end(null);
      socket.write(commands.map(encode).join(''));
    },
    destroy: () => void socket.destroy(),
  };
}
