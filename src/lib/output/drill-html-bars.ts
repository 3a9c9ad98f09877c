import type {DrillDocument} from '../drill/report.ts';
import {formatMeasured, type ObjectiveSaid} from './drill-words.ts';
import {type Html, html, NONE} from './html.ts';
import {formatTime} from './units.ts';

/** What was measured as a bar, against its target as a mark. */
export function objectiveBar({name, target, measured, measuredValue, targetValue, result}: ObjectiveSaid): Html {
  const most = Math.max(targetValue, measuredValue ?? 0) || 1;
  const x = Math.max(1, Math.round((targetValue / most) * 196) + 2);
  const width = measuredValue === null ? 0 : measuredValue === 0 ? 0 : Math.max(2, (measuredValue / most) * 196);
  return html`<svg class="bar" viewBox="0 0 200 16" preserveAspectRatio="none" role="img"><title>${name}: ${measured}, ${target}</title><rect class="track" x="2" y="4" width="196" height="8"/><rect class="f-${result.tone}" x="2" y="4" width="${Math.round(width * 10) / 10}" height="8"/><line class="mark" x1="${x}" x2="${x}" y1="0" y2="16"/></svg>`;
}

/** One figure among its like as a bar. */
export function plainBar(value: number | null, most: number, title: string): Html {
  if (value === null || most <= 0) return NONE;
  const width = Math.round(Math.max(2, (value / most) * 196) * 10) / 10;
  return html`<svg class="bar" viewBox="0 0 200 16" preserveAspectRatio="none" role="img"><title>${title}</title><rect class="track" x="2" y="4" width="196" height="8"/><rect class="f-plain" x="2" y="4" width="${width}" height="8"/></svg>`;
}

type Point = {readonly at: string | null; readonly gapMs: number | null; readonly verdict: string};

/** The write gap of this drill and of earlier ones, oldest first; nothing where there is nothing to compare. */
export function gapTrend(report: DrillDocument): Html {
  const now: Point = {at: report.startedAt, gapMs: report.measured.writeGapMs, verdict: report.verdict};
  const points = [...report.earlier.toReversed().map(({at, writeGapMs, verdict}): Point => ({at, gapMs: writeGapMs, verdict})), now];
  const known = points.flatMap(({gapMs}) => gapMs ?? []);
  if (known.length < 2) return NONE;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const title = `Write gap of ${points.length} drills, oldest to newest: from ${formatMeasured(least)} to ${formatMeasured(most)}, this one ${formatMeasured(now.gapMs)}`;
  return html`<figure><figcaption>${title}</figcaption><svg class="spark" viewBox="0 0 1000 72" preserveAspectRatio="none" role="img" aria-labelledby="trend-title trend-desc"><title id="trend-title">${title}</title><desc id="trend-desc">${points.map(({at, gapMs}) => `${formatTime(at)} ${formatMeasured(gapMs)}`).join('; ')}</desc>${marks(points, most)}</svg></figure>`;
}

/** Bars, since drills are single events: a line between them would say what was not measured. */
function marks(points: readonly Point[], most: number): Html[] {
  const room = Math.min(44, 1000 / points.length);
  const tones: Readonly<Record<string, string>> = {passed: 'f-good', failed: 'f-bad'};
  return points.map(({gapMs, verdict, at}, i) => {
    const height = gapMs === null ? 2 : Math.max(2, Math.round((gapMs / Math.max(1, most)) * 680) / 10);
    const width = room * 0.7;
    const x = Math.round((i * room + (room - width) / 2) * 10) / 10;
    const own = i === points.length - 1 ? ' own' : '';
    return html`<rect class="${tones[verdict] ?? 'f-unknown'}${own}" x="${x}" y="${70 - height}" width="${Math.round(width * 10) / 10}" height="${height}"><title>${formatTime(at)}: ${formatMeasured(gapMs)}</title></rect>`;
  });
}
