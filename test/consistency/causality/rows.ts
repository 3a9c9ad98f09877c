import {hlcAt} from '../../../src/lib/consistency/causality/hlc.ts';
import {type About, type Columns, NO_RULE, type RowVersion} from '../../../src/lib/consistency/causality/version.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';

export const peers: About = {primary: null, wall: null, regions: ['us-east', 'eu-west', 'ap']};
export const rule = (parts: Partial<TableRule>): TableRule => ({...NO_RULE, ...parts});
const MS = Date.parse('2026-11-28T13:00:00Z');
/** A hybrid logical clock and a commit time, so many ms after one o'clock. */
export const hlc = (ms: number): string => String(hlcAt(MS + ms));
export const at = (ms: number): string => new Date(MS + ms).toISOString();

type Seen = Columns | null | {readonly row: Columns | null; readonly committedAt?: string; readonly origin?: string};
const isFull = (seen: Seen): seen is Exclude<Seen, Columns | null> => seen !== null && typeof seen.row === 'object';

/** What the three regions have, in the order of the fleet. */
export const versions = (...seen: readonly Seen[]): readonly RowVersion[] =>
  seen.map((each, index) => {
    const full = isFull(each) ? each : {row: each as Columns | null};
    return {committedAt: null, origin: null, ...full, region: peers.regions![index]!};
  });

export const row = {id: '1', note: 'a'};
export const other = {id: '1', note: 'b'};
export const third = {id: '1', note: 'c'};

export const vc = (clock: string, columns: Columns = row): Columns => ({...columns, vc: clock});
export const clocked = rule({vectorClock: 'vc'});
export const timed = rule({hlc: 'hlc', region: 'writer', tombstone: 'deleted'});
export const timedRow = (ms: number, note: string, writer = 'us-east', deleted = 'f'): Columns => ({
  id: '1',
  note,
  hlc: hlc(ms),
  writer,
  deleted,
});
export const likes = rule({merge: {likes: 'g-counter'}});
export const liked = (state: string | null, note = 'a'): Columns => ({id: '1', note, likes: state});
