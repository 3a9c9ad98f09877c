import type {DashboardView, RoleNow} from '../operate/dashboard-view.ts';
import {wholeAge} from '../output/region-cells.ts';
import {cut} from '../output/table.ts';
import {padRight, textWidth} from '../output/text-width.ts';
import {isOldLink} from './dashboard-columns.ts';
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
  if (lines.length <= most) return lines;
  // How many there are, and nothing of any, tells nobody anything.
  return most < 2 ? [] : [...lines.slice(0, most - 1), [{text: `and ${lines.length - most + 1} stores more`, meaning: 'muted'}]];
}

function storeLine(view: DashboardView, store: string, name: number, columns: number): Line {
  const roles = view.regions.flatMap(({region, roles: own}) =>
    own.filter((each) => each.store === store).map((each) => ({...each, region})),
  );
  const links = view.links.filter(({row}) => row.store === store);
  const head: Part = {text: `${padRight(store, name)}  `, meaning: 'muted'};
  const holds = holderOf(roles, view.at);
  const parts: Part[] = [head, holds];
  let left = columns - textWidth(head.text) - textWidth(holds.text);
  for (const [index, link] of links.entries()) {
    const {from, to, state} = link.row;
    const isOld = isOldLink(link, view);
    const {symbol, meaning} = isOld ? {...linkSign(state), meaning: 'muted' as const} : linkSign(state);
    const text = `  ${isOld ? `(${symbol} ${from} → ${to})` : `${symbol} ${from} → ${to}`}`;
    if (textWidth(text) > left - (index === links.length - 1 ? 0 : 8)) {
      parts.push({text: cut(`  +${links.length - index}`, Math.max(0, left)), meaning: 'muted'});
      break;
    }
    parts.push({text, meaning});
    left -= textWidth(text);
  }
  return parts;
}

type Held = Pick<RoleNow, 'member' | 'role' | 'why' | 'last'>;

/** Who holds the primary, or why that is not known. */
function holderOf(roles: readonly Held[], at: number): Part {
  const primaries = roles.filter(({role}) => role === 'primary');
  if (primaries.length > 0)
    return {text: `P ${primaries.map(({member}) => member).join(', ')}`, meaning: primaries.length > 1 ? 'critical' : 'strong'};
  if (roles.some(({role}) => role === 'peer')) return {text: 'peers', meaning: 'plain'};
  if (roles.some(({role, why}) => role === null && why === 'asking')) return {text: 'asking', meaning: 'muted'};
  const was = roles.find(({role, last}) => role === null && last?.role === 'primary');
  if (was?.last != null) return {text: `P? ${was.member}, not seen for ${wholeAge(at - was.last.at)}`, meaning: 'warning'};
  // One that cannot be seen may hold it.
  if (roles.some(({role}) => role === null)) return {text: 'primary not known', meaning: 'warning'};
  return {text: 'no primary is seen', meaning: 'critical'};
}
