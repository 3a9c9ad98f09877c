import type {StatusActiveRun, StatusDocument, StatusRegion} from '../observe/status-document.ts';
import {oddity, verdictSaid, wholeAge} from './region-cells.ts';
import {STEP_SYMBOLS} from './signs.ts';
import {regionTable} from './status-columns.ts';
import {type Cell, table} from './table.ts';
import {formatAge, formatBytes, formatTime} from './units.ts';
import {indented, joined, listItem, type TextOptions} from './verdict-cell.ts';

/** `status` for people: one line per region, then why anything is not as it should be, the run that is going on, and what needs an eye. */
export function statusText(document: StatusDocument, options: TextOptions): string {
  const {columns, paint, now} = options;
  const {regions, activeRun, notes} = document;
  const taken = Date.parse(document.at);
  const keptMs = document.cached === true ? Math.max(0, now - taken) : 0;
  const when = document.cached === true ? `${formatTime(taken)}, ${formatAge(taken, now)}: nobody was asked since` : formatTime(taken);
  const {symbol, text, meaning} = verdictSaid(document.verdict);
  const head: Cell[] = [
    {text: document.fleet, paint: paint.strong},
    {text: `${symbol} ${text}`, paint: paint[meaning === 'plain' ? 'strong' : meaning]},
    when,
  ];
  const {lines, hasRoles} = regionTable({document, keptMs, now}, options);
  const parts = [...table([{}, {shrink: false}, {}], [head], columns), '', ...lines];
  const block = (sentences: readonly string[]): void => {
    if (sentences.length > 0) parts.push('', ...sentences.flatMap((sentence) => indented(sentence, columns)));
  };
  if (!hasRoles) block(rolesSay(regions));
  block([
    ...regions.filter(({verdict}) => verdict !== 'healthy').map(({region, reason}) => `${region}: ${reason}`),
    ...readySays(regions),
    ...regions.flatMap(lossSays),
    ...roomSays(regions),
  ]);
  if (activeRun !== null) {
    const [first = '', ...others] = runSays(activeRun, now);
    parts.push('', ...indented(first, columns, 0).map((line) => paint.strong(line)), ...others.flatMap((each) => indented(each, columns)));
  }
  if (notes.length > 0) parts.push('', ...notes.flatMap((note) => listItem(note, columns)));
  return joined(parts);
}

/** Of each store who holds what, where the table has no room for it. */
function rolesSay(regions: readonly StatusRegion[]): readonly string[] {
  const roles = regions.flatMap((region) => region.roles);
  return [...new Set(roles.map(({store}) => store))].map((store) => {
    const own = roles.filter((each) => each.store === store);
    return `${store}: ${own.map((each) => `${each.member} ${each.role}${oddity(each)}`).join(', ')}`;
  });
}

/** Which ways are shut, and why: regions that share a reason share a sentence. */
function readySays(regions: readonly StatusRegion[]): readonly string[] {
  const shut = regions.flatMap(({region, ready}) => ready.filter((way) => way.ready !== true).map((way) => ({region, ...way})));
  return grouped(shut, ({from, ready, reason}) => JSON.stringify([from, ready, reason])).map((same) => {
    const {from, ready, reason} = same[0];
    const why = reason === null ? '' : `: ${reason}`;
    const who = same.map(({region}) => region);
    if (ready === null) return `whether ${who.join(' or ')} could take over from ${from} is not known${why}`;
    return `${who.join(', ')} cannot take over from ${from} now${why}`;
  });
}

/** What is not known of a member that answers, and what misses its objective. An estimate of nothing never meets an objective of 0, and is nothing to be told of. */
function lossSays({region, loss, roles}: StatusRegion): readonly string[] {
  return (loss ?? []).flatMap(({store, bytes, certainty, withinRpo, basis, watched}) => {
    // That a member does not answer stands among the notes.
    const isDark = roles.every((each) => each.store !== store || each.role === 'unknown');
    if (certainty === 'unknown')
      return watched === true || isDark ? [] : [`what promoting ${region} now would lose of ${store} is not known: ${basis}`];
    if (withinRpo !== false || bytes === 0) return [];
    const size =
      bytes === null ? 'writes' : `${certainty === 'estimate' ? 'about ' : certainty === 'bound' ? 'at most ' : ''}${formatBytes(bytes)}`;
    return [`promoting ${region} now would lose ${size} of ${store}, which misses its RPO`];
  });
}

function roomSays(regions: readonly StatusRegion[]): readonly string[] {
  const dark = regions.flatMap(({region, headroom}) =>
    headroom === null || headroom.left !== null ? [] : [{region, reason: headroom.reason ?? ''}],
  );
  const partly = regions.flatMap(({region, headroom}) => (headroom?.unread ?? []).map((each) => ({region, ...each})));
  const names = (same: readonly {readonly region: string}[]): string => same.map(({region}) => region).join(', ');
  return [
    ...grouped(dark, ({reason}) => reason).map((same) => `room of ${names(same)} is not known: ${same[0].reason}`),
    ...grouped(partly, ({series, reason}) => JSON.stringify([series, reason])).map(
      (same) => `room of ${names(same)} may be less: ${same[0].series} is not known: ${same[0].reason}`,
    ),
  ];
}

function grouped<T>(all: readonly T[], key: (each: T) => string): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const each of all) {
    const same = groups.get(key(each));
    if (same === undefined) groups.set(key(each), [each]);
    else same.push(each);
  }
  return [...groups.values()];
}

/** The run, and the step that it is at. */
function runSays({kind, runId, outcome, from, to, startedAt, steps}: StatusActiveRun, now: number): readonly string[] {
  const way = from === null && to === null ? '' : ` ${[from, to].filter((place) => place !== null).join(' → ')}`;
  const head = `${kind}${way} ${outcome}: ${runId}, started ${formatAge(Date.parse(startedAt), now)}`;
  const bad = steps
    .filter(({status}) => status === 'failed')
    .map(({title, detail}) => `${STEP_SYMBOLS.failed} ${title}${detail === null ? '' : `: ${detail}`}`);
  const running = steps.findIndex(({status}) => status === 'running');
  const at = running >= 0 ? running : steps.findIndex(({status}) => status === 'pending');
  const step = steps[at];
  if (step === undefined) return [head, ...bad];
  const took = step.startedAt === null ? '' : `, for ${wholeAge(Math.max(0, now - Date.parse(step.startedAt)))}`;
  return [head, ...bad, `step ${at + 1} of ${steps.length}: ${STEP_SYMBOLS[step.status]} ${step.title}${took}`];
}
