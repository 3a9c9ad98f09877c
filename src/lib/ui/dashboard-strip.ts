import type {DashboardView} from '../operate/dashboard-view.ts';
import {cut} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import type {Line, Part, Space} from './line-view.tsx';
import {linkSign} from './meaning.ts';

/** Narrower terminals have no room for it. */
const WIDE = 110;

/** One line for each store: its primary, and from it each link with its state, as far as there is room. */
export function stripLines(view: DashboardView, {most, columns}: Space): readonly Line[] {
  if (columns < WIDE || most < 1) return [];
  const stores = [...new Set(view.regions.flatMap(({roles}) => roles.map(({store}) => store)))];
  const name = Math.max(0, ...stores.map(textWidth));
  const lines = stores.map((store) => storeLine(view, store, name, columns));
  return lines.length <= most
    ? lines
    : [...lines.slice(0, most - 1), [{text: `and ${lines.length - most + 1} stores more`, meaning: 'muted'}]];
}

function storeLine(view: DashboardView, store: string, name: number, columns: number): Line {
  const roles = view.regions.flatMap(({region, roles: own}) =>
    own.filter((each) => each.store === store).map((each) => ({...each, region})),
  );
  const primaries = roles.filter(({role}) => role === 'primary');
  const links = view.links.filter(({row}) => row.store === store);
  const head: Part = {text: `${store.padEnd(name)}  `, meaning: 'muted'};
  const holds: Part =
    primaries.length === 0
      ? {
          text: roles.some(({role}) => role === 'peer') ? 'peers' : 'no primary is seen',
          meaning: roles.some(({role}) => role === 'peer') ? 'plain' : 'critical',
        }
      : {text: `P ${primaries.map(({member}) => member).join(', ')}`, meaning: primaries.length > 1 ? 'critical' : 'strong'};
  const parts: Part[] = [head, holds];
  let left = columns - textWidth(head.text) - textWidth(holds.text);
  for (const [index, {row}] of links.entries()) {
    const {symbol, meaning} = linkSign(row.state);
    const text = `  ${symbol} ${row.from} → ${row.to}`;
    if (textWidth(text) > left - (index === links.length - 1 ? 0 : 8)) {
      parts.push({text: cut(`  +${links.length - index}`, Math.max(0, left)), meaning: 'muted'});
      break;
    }
    parts.push({text, meaning});
    left -= textWidth(text);
  }
  return parts;
}
