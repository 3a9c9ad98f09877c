import {messageOf, RegionctlError} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {verdictExit} from '../health/verdict.ts';
import type {StatusDocument} from '../observe/status.ts';
import {isRecord, type Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** What was healthy longer ago may be anything by now. */
const FRESH_MS = 60_000;
const VERSION = 1;

const keyOf = ({name}: Pick<Fleet, 'name'>): string => `status/${name}`;

/** Keeps a picture for who cannot wait for the next one. That it cannot be kept is no reason not to show it. */
export function keepStatus(state: Pick<State, 'remember'>, fleet: Pick<Fleet, 'name' | 'digest'>, document: StatusDocument): void {
  state.remember(keyOf(fleet), {version: VERSION, digest: fleet.digest, document: document as unknown as Json});
}

/**
 * The last picture that was taken from this state, without asking anybody. Exit code: that of its verdict while it is at most a minute old, 3 afterwards. Throws
 * where nothing is kept (3), and what the state throws.
 */
export async function cachedStatus(open: OpenFleet): Promise<{document: StatusDocument; exit: ExitCode}> {
  const {fleet, clock} = open;
  const kept = await open.state().then(
    (state) => state.recall(keyOf(fleet)),
    (error: unknown) => {
      throw nothing(`the state cannot be read: ${messageOf(error)}`);
    },
  );
  if (!isRecord(kept) || kept.version !== VERSION || !isRecord(kept.document)) throw nothing('no picture of this fleet is kept here');
  const document = kept.document as unknown as StatusDocument;
  const ageMs = clock.wall() - Date.parse(document.at);
  const isFresh = ageMs >= 0 && ageMs <= FRESH_MS;
  const notes = kept.digest === fleet.digest ? [] : ['the fleet file has changed since'];
  return {
    document: {...document, cached: true, notes: [...notes, ...document.notes]},
    exit: isFresh ? verdictExit(document.verdict) : EXIT.unknown,
  };
}

const nothing = (says: string): RegionctlError =>
  new RegionctlError('not-cached', EXIT.unknown, says, {suggestions: ['regionctl status takes one, and keeps it']});
