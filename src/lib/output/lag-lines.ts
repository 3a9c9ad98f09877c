import {readingAgeMs} from '../operate/lag-verdict.ts';
import type {LagWatchView, LinkChange, LinkNow} from '../operate/lag-watch.ts';
import {drainSays, heldSays} from './drain-lines.ts';
import {lagText, linkName} from './lag-text.ts';
import {oneLine} from './table.ts';
import {formatBytes, formatMs, formatTime} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** One change of the state or of the breaker of a link as a line: a sentence, or JSON with `type` change. */
export function linkChangeLine(change: LinkChange, format: 'text' | 'ndjson'): string {
  if (format === 'ndjson') return JSON.stringify({type: 'change', ...change});
  return oneLine(`${formatTime(change.at)}  ${linkName(change)}  ${changeSays(change)}`);
}

/** What has changed of a link, and why. */
export function changeSays({was, state, breakerWas, breaker, reason, breakerReason}: LinkChange): string {
  const says = [
    ...(was === state ? [] : [`${was === null ? '' : `${was} → `}${state}: ${reason}`]),
    ...(breaker === (breakerWas ?? 'closed') ? [] : [`${was === state ? 'b' : 'B'}reaker ${breakerReason}.`]),
  ];
  return says.join(' ');
}

/** How each link stands: what names it, and the line that says it (JSON with `type` link). */
export function linkLines({fleet, links}: LagWatchView, format: 'text' | 'ndjson'): readonly (readonly [string, string])[] {
  return links.map((link) => [linkName(link.row), format === 'ndjson' ? linkJson(fleet, link) : linkText(link)] as const);
}

function linkJson(fleet: string, {row, at, breaker, percentiles}: LinkNow): string {
  return JSON.stringify({type: 'link', fleet, at: new Date(at).toISOString(), ...row, breaker, percentiles});
}

function linkText({row, at, breaker}: LinkNow): string {
  const {state, seconds, replayBytes, messages, reason} = row;
  const distance = messages === undefined ? `${formatBytes(replayBytes)} to replay` : `${messages.depth ?? '–'} messages`;
  const behind = `${formatMs(seconds === null ? null : seconds * 1000)} behind, ${distance}`;
  const limit = breaker.state === 'closed' ? '' : ` Breaker ${breaker.reason}.`;
  return oneLine(`${formatTime(at)}  ${linkName(row)}  ${state}, ${behind}: ${reason}${limit}`);
}

/** How every link stood when the watch ended: what is left on the terminal. */
export function lagWatchSummary({at, links, unread, waiting, drains}: LagWatchView, options: TextOptions): string {
  const {columns} = options;
  const rows = links.map((link) => ({...link.row, ageMs: readingAgeMs(link, at)}));
  const text = rows.length + unread.length === 0 ? [] : [lagText({at: new Date(at).toISOString(), links: rows, unread}, options)];
  const limits = links.filter(({breaker}) => breaker.state !== 'closed');
  const lines = [
    ...limits.flatMap(({row, breaker}) => indented(`${linkName(row)}: breaker ${breaker.reason}.`, columns)),
    ...(drains?.held ?? []).flatMap((row) => indented(`${heldSays(row)}.`, columns)),
    ...(drains?.stays ?? []).flatMap((event) => indented(`${event.route}: ${drainSays(event)}.`, columns)),
    ...(drains === undefined || drains.trouble === null ? [] : indented(`not drained: ${drains.trouble}`, columns)),
    ...waiting.flatMap((store) => indented(`${store} has not answered yet`, columns)),
  ];
  return joined(text.length + lines.length === 0 ? ['no replication link'] : [...text, ...lines]);
}
