import {createHash} from 'node:crypto';
import {messageOf, RegionctlError} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {readFleetPlace} from '../fleet/place.ts';
import {verdictExit} from '../health/verdict.ts';
import type {StatusDocument, StatusRegion} from '../observe/status-document.ts';
import {isRecord, type Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import {peekMemory} from '../state/peek.ts';
import {scrubbed} from './scrubbed.ts';

/** What was healthy longer ago may be anything by now. */
const FRESH_MS = 60_000;
/** Goes up with each change of what a document must have: an older one is not shown, since it lacks what is asked of it. */
const VERSION = 2;

const keyOf = (fleet: string): string => `status/${fleet}`;

/**
 * Keeps a picture for who cannot wait for the next one, without the secrets that were revealed so far. That it cannot be kept is no reason not to show it. Throws what the state
 * throws.
 */
export function keepStatus(
  state: Pick<State, 'remember'>,
  {name, textDigest, secrets}: Pick<Fleet, 'name' | 'textDigest' | 'secrets'>,
  document: StatusDocument,
): void {
  const kept = scrubbed(document, secrets.scrub) as unknown as Json;
  state.remember(keyOf(name), {version: VERSION, file: textDigest ?? null, sum: sumOf(kept), document: kept});
}

/** The fleet file (absolute), where the state is kept unless it says, and the time now (epoch ms). */
export type CachedOptions = {readonly file: string; readonly defaultStateDir: string; readonly now: number};

/**
 * The last picture that was taken from this state, without asking anybody: of the fleet file no more is read than its name and where its state is. Ages are as of now. Exit code:
 * that of its verdict while it is at most a minute old, 3 afterwards. Throws where nothing fit to be shown is kept, or it cannot be read (3), and what `readFleetPlace` throws.
 */
export async function cachedStatus({file, defaultStateDir, now}: CachedOptions): Promise<{document: StatusDocument; exit: ExitCode}> {
  const {name, stateDir, textDigest} = await readFleetPlace(file);
  const kept = await peekMemory(stateDir ?? defaultStateDir, keyOf(name)).catch((error: unknown) => {
    throw nothing(`the state cannot be read: ${messageOf(error)}`);
  });
  const document = documentIn(kept, name);
  const passed = now - Date.parse(document.at);
  const isFresh = passed >= 0 && passed <= FRESH_MS;
  const notes = [
    ...(isRecord(kept) && kept.file === textDigest ? [] : ['the fleet file has changed since']),
    ...(passed < 0 ? ['it is from a time that has not come yet by the clock of this machine: how old it is, is not known'] : []),
  ];
  return {
    document: {...aged(document, passed), cached: true, notes: [...notes, ...document.notes]},
    exit: isFresh ? verdictExit(document.verdict) : EXIT.unknown,
  };
}

function documentIn(kept: Json | undefined, fleet: string): StatusDocument {
  if (kept === undefined) throw nothing(`no picture of the fleet ${fleet} is kept here`);
  const version = isRecord(kept) ? kept.version : undefined;
  if (typeof version === 'number' && version !== VERSION)
    throw nothing(`the picture that is kept here is of ${version < VERSION ? 'an older' : 'a later'} regionctl`);
  // What is whole is as it was written, by a regionctl whose documents are like ours.
  if (!isRecord(kept) || !isRecord(kept.document) || kept.sum !== sumOf(kept.document))
    throw nothing('the picture that is kept here is damaged');
  return kept.document as unknown as StatusDocument;
}

const sumOf = (document: Json): string => createHash('sha256').update(JSON.stringify(document)).digest('hex');

/** The document with every age as it is `ms` later. */
function aged(document: StatusDocument, ms: number): StatusDocument {
  const later = (age: number | null): number | null => (age === null || ms < 0 ? null : age + ms);
  const older = <T extends {readonly ageMs: number | null}>(each: T): T => ({...each, ageMs: later(each.ageMs)});
  const region = (each: StatusRegion): StatusRegion => ({
    ...older(each),
    roles: each.roles.map(older),
    ageMsByRoute: Object.fromEntries(Object.entries(each.ageMsByRoute).map(([route, age]) => [route, later(age)])),
    lagWorst: each.lagWorst === null ? null : older(each.lagWorst),
    loss: each.loss?.map(older) ?? null,
    ready: each.ready.map(older),
    headroom: each.headroom === null ? null : older(each.headroom),
  });
  return {...document, regions: document.regions.map(region)};
}

const nothing = (says: string): RegionctlError =>
  new RegionctlError('not-cached', EXIT.unknown, says, {suggestions: ['regionctl status takes one, and keeps it']});
