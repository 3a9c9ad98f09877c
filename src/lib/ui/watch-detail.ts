import type {EndpointNow, MonitorView} from '../health/monitor.ts';
import {cut, wrap} from '../output/table.ts';
import {formatAge, formatMs, formatTime} from '../output/units.ts';
import type {Json} from '../plan/json.ts';
import type {ProbeResult} from '../ports/probe.ts';
import {percentile, sparkline} from './sparkline.ts';

const MOST_FACTS = 12;
const MOST_CHANGES = 5;

/** All about one endpoint, as lines of at most `columns`: reason, latencies, who sees it, what the probe found, and its region's last changes. */
export function detailLines(row: EndpointNow, {at, changes}: MonitorView, columns: number): readonly string[] {
  const {judged, history, region, critical, probe, lane} = row;
  const kind = `${probe}, ${critical ? 'critical' : 'not critical'}${lane === 'dead' ? ', asked less often: nothing comes from it' : ''}`;
  if (judged === null) return [kind, '', 'not asked yet'];
  const {result, at: askedAt, attempts, others = []} = judged.reading;
  const [p50, p95] = [percentile(history, 0.5), percentile(history, 0.95)];
  const own = changes.filter((change) => change.region === region).slice(-MOST_CHANGES);
  const views = others.map(({vantage, result: seen}) => `  ${vantage}: ${seenText(seen)}`);
  return [
    kind,
    ...wrap(judged.reason, columns),
    `asked ${formatAge(askedAt, at)}, ${attempts} time${attempts === 1 ? '' : 's'}`,
    '',
    `latency ${formatMs(result.latencyMs)}   p50 ${formatMs(p50)}   p95 ${formatMs(p95)}   of the last ${history.length} looks`,
    sparkline(history, Math.min(columns, history.length)),
    ...(views.length === 0 ? [] : ['', `${judged.agree} of ${judged.asked} that can tell agree`, `  here: ${seenText(result)}`, ...views]),
    ...section('what it said', factLines(result.facts)),
    ...section(
      `changes of ${region} while watching`,
      own.map(({at: when, from, to, reason}) => `${formatTime(when)}  ${from} → ${to}: ${reason}`),
    ),
  ].map((line) => cut(line, columns));
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function seenText({ok, latencyMs, detail}: ProbeResult): string {
  const word = ok === true ? 'well' : ok === false ? 'not well' : 'cannot tell';
  return `${word}${latencyMs === null ? '' : `, ${formatMs(latencyMs)}`}: ${detail}`;
}

/** Facts as "name: value", nested ones with their path. */
function factLines(facts: Json | undefined, path = ''): readonly string[] {
  if (facts === undefined || facts === null) return [];
  if (typeof facts === 'number') return [`${path}: ${Math.round(facts * 100) / 100}`];
  if (typeof facts !== 'object') return [`${path}: ${String(facts)}`];
  const entries = Array.isArray(facts) ? facts.map((value, index) => [String(index), value] as const) : Object.entries(facts);
  return entries.flatMap(([name, value]) => factLines(value as Json, path === '' ? name : `${path}.${name}`)).slice(0, MOST_FACTS);
}
