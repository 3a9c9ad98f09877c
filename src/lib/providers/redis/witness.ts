import {timeoutAwake} from '../../awake.ts';
import {isRegionctlError, refused, unavailable, usageError} from '../../errors.ts';
import type {Abilities} from '../../ports/store.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {createMeter} from '../meter.ts';
import {tlsSettings} from '../tls/credentials.ts';
import {writeLines} from '../write-lines.ts';
import type {Place} from './client.ts';
import type {Ensemble} from './ensemble.ts';
import {primariesOf, readAll} from './facts.ts';
import {refusalOf} from './refusal.ts';
import type {AnyReply} from './resp.ts';
import type {RedisConfig, RedisMember} from './store-schema.ts';
import {dialRedis, keyOf, outcomeOf, type Talk, type TalkTo, talk, writeOf} from './witness-line.ts';

/** How many connections a writer may have to a member. */
const MOST = 25;
const ANSWER_MS = 5000;
/** Longer lists are not read in one piece. */
const PAGE = 1000;
const TRIAL = 'trial';
const COMMANDS = ['PING', 'MULTI', 'EXEC', 'RPUSH', 'EXPIRE', 'LRANGE', 'DEL'];

/** Writes of the witness in one list for each run, which ends by itself a day after its last write. */
export function createWitness(
  ensemble: Ensemble,
  part: StorePart<RedisConfig, RedisMember>,
  context: ProviderContext,
): Abilities['witness'] {
  const places = placesOf(part, context.baseDir);
  const toward = (member: string): TalkTo => {
    const place = places.get(member);
    if (place === undefined) throw usageError(`Store ${part.name} has no member ${member}.`);
    return {place, secrets: context.secrets, meter: createMeter(() => context.clock.now())};
  };
  const primary = async (signal: AbortSignal): Promise<TalkTo> => {
    const [first] = primariesOf(await readAll(ensemble, signal));
    if (first === undefined) throw unavailable('no-primary', `No primary of ${part.name} answers, so the witness has nothing to write to.`);
    return toward(first.name);
  };
  return {
    prepare: async (signal) => {
      const to = await primary(signal);
      await besides(to, signal, (ask) => tryOut(to, ask));
    },
    writer: (member, run) => {
      const to = toward(member);
      return writeLines({dial: (gone) => dialRedis(to, run, gone), most: () => MOST, now: () => context.clock.now(), meter: to.meter});
    },
    readBack: (member, run, signal) => {
      const to = toward(member);
      return besides(to, signal, (ask) => readList(to, ask, keyOf(run)));
    },
    clean: async (run, signal) => {
      const to = await primary(signal);
      await besides(to, signal, async (ask) => {
        const [reply] = await ask([['DEL', keyOf(run)]]);
        if (reply?.kind !== 'number') throw answerError(to, reply, 'DEL');
      });
    },
  };
}

type Ask = (commands: readonly (readonly string[])[]) => Promise<readonly AnyReply[]>;

/** Whether everything that will be asked is allowed, on a key of the witness that is gone afterwards. */
async function tryOut(to: TalkTo, ask: Ask): Promise<void> {
  const key = keyOf(TRIAL);
  const replies = await ask([...writeOf(key, TRIAL), ['LRANGE', key, '0', '0'], ['DEL', key]]);
  const wrong = replies.find(({kind}) => kind === 'error');
  if (wrong === undefined && outcomeOf(replies.slice(0, 4)) === 'acknowledged') return;
  const {place} = to;
  if (wrong?.kind !== 'error' || !wrong.text.startsWith('NOPERM')) throw answerError(to, wrong, 'RPUSH');
  const user = place.user ?? 'default';
  const rule = `ACL SETUSER ${user} ~regionctl:witness:* ${COMMANDS.map((name) => `+${name.toLowerCase()}`).join(' ')}`;
  const message = `${place.label} does not let the user ${user} write for the witness (${to.secrets.scrub(wrong.text)}): it lacks ${rule}`;
  throw refused('witness-privilege', message, {suggestions: [`On every member: ${rule}`]});
}

async function readList(to: TalkTo, ask: Ask, key: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let start = 0; ; start += PAGE) {
    const [reply] = await ask([['LRANGE', key, String(start), String(start + PAGE - 1)]]);
    if (reply?.kind !== 'list') throw answerError(to, reply, 'LRANGE');
    for (const ref of reply.texts) counts.set(ref, (counts.get(ref) ?? 0) + 1);
    if (reply.texts.length < PAGE) return counts;
  }
}

/** A connection for as long as `work` takes. Each question has a deadline of its own. */
async function besides<T>(to: TalkTo, signal: AbortSignal, work: (ask: Ask) => Promise<T>): Promise<T> {
  const life = new AbortController();
  const within = () => AbortSignal.any([signal, life.signal, timeoutAwake(ANSWER_MS)]);
  const {label, host, port} = to.place;
  let talking: Talk | null = null;
  try {
    const made = await talk(to, {signal: within(), accepted: () => undefined, gone: () => undefined});
    talking = made;
    return await work((commands) => answer(made, commands, within()));
  } catch (error) {
    signal.throwIfAborted();
    throw isRegionctlError(error)
      ? error
      : unavailable('no-answer', `${label}: ${host}:${port} gave the witness no answer`, {cause: error});
  } finally {
    life.abort(new Error('over'));
    talking?.destroy();
  }
}

function answer(talking: Talk, commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly AnyReply[]> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), {once: true});
    talking.ask(commands, (replies) => (replies === null ? reject(new Error('it broke the connection off')) : resolve(replies)));
  });
}

function answerError({place, secrets}: TalkTo, reply: AnyReply | undefined, asked: string) {
  const said = reply?.kind === 'error' ? refusalOf(reply.text, asked, secrets.scrub) : null;
  const says = said?.says ?? `answered ${asked} with something that is no answer of Redis to it`;
  return unavailable(said?.code ?? 'unexpected-answer', `${place.label}: ${place.host}:${place.port} ${says}`);
}

function placesOf({config, members}: StorePart<RedisConfig, RedisMember>, baseDir: string): ReadonlyMap<string, Place> {
  return new Map(
    members.map(({name, config: {address}}) => {
      const tls = tlsSettings(config, address.host, baseDir);
      const login = {user: config.user ?? null, password: config.password ?? null};
      return [name, {...address, label: name, ...login, tls: tls === null ? null : {...tls, minValidMs: 0}}];
    }),
  );
}
