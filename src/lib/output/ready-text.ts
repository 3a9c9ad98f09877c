import type {ReadyDocument} from '../operate/ready.ts';
import type {Layout} from './run-text.ts';
import {type Cell, table} from './table.ts';
import {formatAge, NOT_MEASURED} from './units.ts';

/** Readiness for people: each way, whether it is open, and the share of the last 30 days. */
export function readyText({pairs, at}: ReadyDocument, {columns, paint, now}: Layout): string {
  if (pairs.length === 0)
    return 'No region holds a primary that answers, and of peers none is sent traffic: there is nothing to fail over from.';
  const rows = pairs.map(({from, to, ready, reason, share, checks, since}): Cell[] => [
    `${from} → ${to}`,
    {text: ready ? 'ready' : 'not ready', paint: paint[ready ? 'good' : 'critical']},
    share === null ? NOT_MEASURED : `${(share * 100).toFixed(share === 1 ? 0 : 1)} %`,
    `${checks}${since === null ? '' : ` since ${formatAge(Date.parse(since), now)}`}`,
    reason ?? '',
  ]);
  const heads = [{title: 'WAY', shrink: false}, {title: 'NOW', shrink: false}, {title: '30 DAYS'}, {title: 'CHECKS'}, {title: 'WHY NOT'}];
  return [...table(heads, rows, columns), '', paint.muted(`checked ${formatAge(Date.parse(at), now)}; nothing was written`)].join('\n');
}
