import type {DashboardRegion, DashboardView, RoleNow, TrafficNow} from '../operate/dashboard-view.ts';
import {readingAgeMs} from '../operate/lag-verdict.ts';
import type {LinkNow} from '../operate/lag-watch.ts';
import type {ReadyPair} from '../operate/ready.ts';
import {formatFigure} from '../output/figures.ts';
import {linkName} from '../output/lag-text.ts';
import {wholeAge} from '../output/region-cells.ts';
import {cut, wrap} from '../output/table.ts';
import {formatAge, formatBytes, formatMs, formatTime, NOT_MEASURED} from '../output/units.ts';
import type {LossRow} from '../replication/loss.ts';
import type {Page} from './line-view.tsx';
import {linkSign, verdictSign} from './meaning.ts';

/** All about one region, as lines of at most `columns`: each figure with its age, and why it is not known where it is not. */
export function regionDetail(region: DashboardRegion, view: DashboardView, columns: number): Page {
  const {at} = view;
  const lines = [
    ...wrap(region.reason, columns),
    ...(region.seenAt === null ? [] : [`asked ${formatAge(region.seenAt, at)}; law ${region.jurisdiction}`]),
    ...section(
      'Traffic',
      region.traffic.map((each) => trafficSays(each, at)),
    ),
    ...section(
      'Stores',
      region.roles.map((each) => roleSays(each, at)),
    ),
    ...section(
      'Links',
      linksOf(region, view).map((link) => linkSays(link, view)),
    ),
    ...section(lossTitle(region, at), lossLines(region)),
    ...section(readyTitle(region, at), readyLines(region)),
    ...section('Capacity', roomLines(region, at)),
    ...section('Endpoints', endpointLines(region, view)),
    ...section('Last events', eventLines(region, view)),
  ];
  const since = region.since === null ? '' : `, since ${formatTime(region.since)} (${formatAge(region.since, at)})`;
  return {title: `${region.region}  ${region.verdict ?? 'asking'}${since}`, lines: lines.flatMap((line) => folded(line, columns))};
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

/** A long line goes on below itself. */
function folded(line: string, columns: number): readonly string[] {
  const indent = line.length - line.trimStart().length;
  const [first = '', ...others] = wrap(line.trimStart(), Math.max(1, columns - indent));
  return [`${' '.repeat(indent)}${first}`, ...others.map((each) => `${' '.repeat(Math.min(indent + 2, columns - 1))}${each}`)].map((each) =>
    cut(each, columns),
  );
}

const ageSays = (readAt: number | null, at: number): string => (readAt === null ? '' : `, read ${formatAge(readAt, at)}`);

function trafficSays({route, share, at: readAt, why}: TrafficNow, at: number): string {
  const now = share === null ? 'not known' : `${Math.round(share * 10) / 10} %`;
  return `${route}: ${now}${ageSays(readAt, at)}${why === null ? '' : `: ${why}`}`;
}

function roleSays({store, member, role, writable, at: readAt, why, last}: RoleNow, at: number): string {
  const before = role !== null || last === null ? '' : ` (${last.role} when it was last seen, ${formatAge(last.at, at)})`;
  const expected = role === 'primary' || role === 'peer';
  const odd = writable === null || writable === expected ? '' : writable ? ' (writable)' : ' (read-only)';
  return `${store} ${member}: ${role ?? 'not known'}${before}${odd}${ageSays(readAt, at)}${why === null ? '' : `: ${why}`}`;
}

/** Links that lead to or from a member of the region. */
function linksOf({roles}: DashboardRegion, {links}: DashboardView): readonly LinkNow[] {
  const own = new Set(roles.map(({store, member}) => JSON.stringify([store, member])));
  return links.filter(({row}) => own.has(JSON.stringify([row.store, row.from])) || own.has(JSON.stringify([row.store, row.to])));
}

function linkSays(link: LinkNow, {at, lag}: DashboardView): string {
  const {row, breaker} = link;
  const far = row.seconds === null ? null : formatMs(row.seconds * 1000);
  const behind =
    far === null ? '' : row.state === 'broken' && row.messages === undefined ? `, nothing replayed for ${far}` : `, ${far} behind`;
  const broke = lag.changes.findLast(({store, from, to}) => store === row.store && from === row.from && to === row.to);
  const since = row.state === 'broken' && broke?.state === 'broken' ? ` since ${formatTime(broke.at)}` : '';
  const bytes = row.replayBytes === null ? '' : `, ${formatBytes(row.replayBytes)} to replay`;
  const limit = breaker.state === 'closed' ? '' : `; breaker ${breaker.reason}`;
  const {symbol} = linkSign(row.state);
  return `${symbol} ${linkName(row)}: ${row.state}${since}${behind}${bytes}${limit}, read ${wholeAge(readingAgeMs(link, at))} ago`;
}

function lossTitle({loss}: DashboardRegion, at: number): string {
  return `Lost if it were promoted now${ageSays(loss.at, at)}`;
}

function lossLines({loss}: DashboardRegion): readonly string[] {
  if (loss.value === null) return loss.why === null ? [] : [`not known: ${loss.why}`];
  return [...loss.value.map(lossSays), ...(loss.why === null ? [] : [`not read anew: ${loss.why}`])];
}

function lossSays({store, bytes, transactions, certainty, basis, withinRpo}: LossRow): string {
  const about = certainty === 'estimate' ? '~' : certainty === 'bound' ? 'at most ' : '';
  const size = bytes === null ? NOT_MEASURED : `${about}${formatBytes(bytes)}`;
  const count = transactions === null ? '' : `, ${about}${transactions} transactions`;
  const rpo = withinRpo === null || (!withinRpo && bytes === 0) ? '' : withinRpo ? ', within its RPO' : ', misses its RPO';
  return `${store}: ${size}${count} (${certainty})${rpo}: ${basis}`;
}

function readyTitle({ready}: DashboardRegion, at: number): string {
  return `Ready to take over${ageSays(ready.at, at)}`;
}

function readyLines({ready}: DashboardRegion): readonly string[] {
  if (ready.value === null) return ready.why === null ? [] : [`not known: ${ready.why}`];
  return ready.value.map(({from, ready: well, reason, share}: ReadyPair) => {
    const before = share === null ? '' : ` (${Math.round(share * 1000) / 10} % of the last 30 days)`;
    return `from ${from}: ${well ? 'yes' : 'no'}${before}${reason === null ? '' : `: ${reason}`}`;
  });
}

function roomLines({headroom: {value, at: readAt, why}}: DashboardRegion, at: number): readonly string[] {
  if (value === null) return why === null || why === 'asking' ? [] : [`not known: ${why}`];
  const {series, left, limit, unit, value: now, unread} = value;
  return [
    `${series}: ${formatFigure(now)} of ${formatFigure(limit)} ${unit}, ${Math.round(left)} % left${ageSays(readAt, at)}${why === null ? '' : `: ${why}`}`,
    ...unread.map((each) => `${each.series}: not known: ${each.reason}`),
  ];
}

function endpointLines({region}: DashboardRegion, {endpoints, at}: DashboardView): readonly string[] {
  return endpoints
    .filter((each) => each.region === region)
    .map(({name, judged, critical}) => {
      if (judged === null) return `· ${name}: not asked yet`;
      const {symbol} = verdictSign(judged.verdict);
      const ms = judged.reading.result.latencyMs;
      const latency = ms === null ? '' : `, ${formatMs(Math.round(ms))}`;
      const kind = critical ? '' : ', not critical';
      const why = judged.verdict === 'healthy' ? '' : `: ${judged.reason}`;
      return `${symbol} ${name}: ${judged.verdict}${latency}${kind}, asked ${formatAge(judged.reading.at, at)}${why}`;
    });
}

function eventLines({region}: DashboardRegion, {events}: DashboardView): readonly string[] {
  return events
    .filter(({text}) => text.includes(region))
    .slice(-MOST_EVENTS)
    .toReversed()
    .map(({at, text}) => `${formatTime(at)}  ${text}`);
}

const MOST_EVENTS = 8;
