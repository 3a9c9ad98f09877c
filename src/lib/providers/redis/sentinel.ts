import {isRegionctlError, messageOf, unavailable} from '../../errors.ts';
import {type Cell, known, unknown} from '../../snapshot/cell.ts';
import type {Answer, Client} from './client.ts';
import type {Ensemble, Sentinels} from './ensemble.ts';
import {count, fieldsOf} from './info.ts';
import type {Address} from './replication.ts';

/** What one Sentinel says of the store. */
export type View = {
  /** Where it says that the primary is; null = it does not say. */
  readonly primary: Address | null;
  /** How it sees the primary, in Sentinel's words: `s_down` (by itself), `o_down` (agreed), `failover_in_progress` and others. */
  readonly flags: readonly string[];
  readonly replicas: number | null;
  /** Sentinels that watch the store, itself included, whether they can be reached or not. */
  readonly sentinels: number | null;
  /** How many must find the primary down. */
  readonly quorum: number | null;
  readonly vote: Vote;
  /** It distrusts its own clock or its own pauses, and acts on nothing. null = it does not say. */
  readonly isTilted: boolean | null;
};

/** Whether enough Sentinels can be reached, seen from one of them. `usable` includes itself. */
export type Vote = {readonly holds: boolean; readonly usable: number | null; readonly says: string} | null;

/** One Sentinel that was asked. */
export type Watcher = {readonly name: string; readonly cell: Cell<View>};

const SENTINEL_MS = 1500;

/** Asks all of them at the same time, each with its own deadline. Never rejects for the state of the world. */
export function readSentinels({clock}: Ensemble, {master, each}: Sentinels, signal: AbortSignal): Promise<readonly Watcher[]> {
  return Promise.all(
    each.map(async ({name, client}) => {
      try {
        return {name, cell: known(await readView(name, master, client, signal), clock.wall(), 'sentinel')};
      } catch (error) {
        return {name, cell: unknown(isRegionctlError(error) ? error.code : 'error', messageOf(error), clock.wall())};
      }
    }),
  );
}

async function readView(name: string, master: string, client: Client, signal: AbortSignal): Promise<View> {
  const questions = [
    ['SENTINEL', 'MASTER', master],
    ['SENTINEL', 'CKQUORUM', master],
    ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master],
    ['INFO', 'sentinel'],
  ];
  const [about, vote, place, info] = await client.ask(questions, {timeoutMs: SENTINEL_MS, signal});
  if (about?.kind === 'refused' && /No such master/i.test(about.text))
    throw unavailable('no-such-master', `${name} watches nothing called ${master}`);
  if (about?.kind === 'refused') throw unavailable(about.code, about.says);
  if (about?.kind !== 'list')
    throw unavailable('unexpected-answer', `${name} answered SENTINEL MASTER with something that is no answer of Sentinel to it`);
  return viewOf(about.texts, {vote, place, info});
}

/** Reads the names and values in turn of SENTINEL MASTER, and what was asked besides. */
export function viewOf(
  texts: readonly string[],
  {vote, place, info}: Readonly<Record<'vote' | 'place' | 'info', Answer | undefined>>,
): View {
  const fields = new Map(texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? ''] as const] : [])));
  const others = count(fields.get('num-other-sentinels'));
  const tilt = info?.kind === 'text' ? fieldsOf(info.text).get('sentinel_tilt') : undefined;
  return {
    primary: place?.kind === 'list' ? addressOf(place.texts) : null,
    flags: (fields.get('flags') ?? '').split(',').filter((flag) => /^[a-z_]+$/.test(flag)),
    replicas: count(fields.get('num-slaves')),
    sentinels: others === null ? null : others + 1,
    quorum: count(fields.get('quorum')),
    vote: voteOf(vote),
    isTilted: tilt === undefined ? null : tilt === '1',
  };
}

/** `OK 3 usable Sentinels. Quorum and failover authorization can be reached`, or an error `NOQUORUM 1 usable Sentinels. …`. */
function voteOf(answer: Answer | undefined): Vote {
  if (answer === undefined || !('text' in answer)) return null;
  const [, word, usable] = /^(OK|NOQUORUM) (\d+) usable/.exec(answer.text) ?? [];
  return word === undefined ? null : {holds: word === 'OK', usable: count(usable), says: answer.text};
}

function addressOf([host, port]: readonly string[]): Address | null {
  const number = count(port);
  return host === undefined || host === '' || number === null ? null : {host, port: number};
}
