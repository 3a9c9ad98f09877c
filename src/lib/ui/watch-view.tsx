import {Box, Text, useAnimation, useInput, useStdin, useWindowSize} from 'ink';
import {memo, useRef, useState} from 'react';
import type {EndpointNow, Monitor, MonitorView} from '../health/monitor.ts';
import {worstVerdict} from '../health/verdict.ts';
import {cut} from '../output/table.ts';
import {formatAge, formatMs, formatTime} from '../output/units.ts';
import {type Meaning, styleOf, verdictSign} from './meaning.ts';
import {sparkline} from './sparkline.ts';
import {windowOn} from './step-window.ts';
import {detailLines} from './watch-detail.ts';
import {WATCH_KEYS} from './watch-keys.ts';
import {afterPress, ageMs, FIRST_STATE, indexOf, keyOf, rowsOf, type WatchState} from './watch-state.ts';

/** `onQuit` is asked for, not acted on: the command ends the monitor first. */
export type WatchViewProps = {readonly monitor: Pick<Monitor, 'view'>; readonly colour: boolean; readonly onQuit: () => void};

const FRAME_MS = 250;
/** A terminal with fewer rows has no room for two things at once. */
const LOW = 20;
/** Beside the list: title, blank, blank after the regions, titles of columns, blank, footer. */
const CHROME = 6;
/** An answer older than this many seconds is dimmed. */
const STALE_MS = 15_000;

/** The live view of health: the regions, and below them every endpoint. It fills the terminal, which has it for itself. */
export function WatchView({monitor, colour, onQuit}: WatchViewProps) {
  useAnimation({interval: FRAME_MS});
  const [state, setState] = useState(FIRST_STATE);
  // Several keys may come before the next frame: each must find what the one before has done.
  const latest = useRef(state);
  const {columns, rows: height} = useWindowSize();
  const {isRawModeSupported} = useStdin();
  const now = monitor.view();
  const view = state.frozen ?? now;
  const note = view.notes[0];
  const reads = state.open || state.help;
  // Whoever reads about one has the rows of all on a low terminal.
  const most = reads && height < LOW ? 1 : Math.max(3, Math.floor(height / 4));
  const regionRows = Math.min(view.regions.length, most);
  const page = Math.max(3, height - CHROME - regionRows - (note === undefined ? 0 : 1));
  const rows = rowsOf(view, state);
  useInput(
    (input, key) => {
      const next = afterPress(latest.current, input, key, {
        view: now,
        page,
        lines: (asked) => textOf(asked, asked.frozen ?? now, columns).lines.length,
      });
      if (next === null) return onQuit();
      latest.current = next;
      setState(next);
    },
    {isActive: isRawModeSupported},
  );
  return (
    <Box flexDirection="column" width={columns} height={height}>
      <Title view={view} paused={state.frozen !== null} columns={columns} colour={colour} />
      <Regions view={view} most={regionRows} columns={columns} colour={colour} />
      <Box flexDirection="column" height={page + 1} marginTop={1}>
        <Body view={view} state={state} rows={rows} page={page} columns={columns} colour={colour} />
      </Box>
      {note !== undefined && <Text {...styleOf('warning', colour)}>{cut(note, columns)}</Text>}
      <Footer view={view} state={state} shown={rows.length} columns={columns} colour={colour} />
    </Box>
  );
}

type Place = {readonly columns: number; readonly colour: boolean};

function Title({view, paused, columns, colour}: Place & {readonly view: MonitorView; readonly paused: boolean}) {
  const isKnown = view.regions.some(({verdict: each}) => each !== null);
  // Unknown is not good: a region that was not judged yet counts.
  const verdict = isKnown ? worstVerdict(view.regions.map((region) => region.verdict ?? 'unknown')) : null;
  const {symbol, meaning} = verdictSign(verdict ?? 'unknown');
  const lag = view.loopLagMs >= 50 ? `, stalled ${formatMs(view.loopLagMs)}` : '';
  const right = `${paused ? 'paused at ' : ''}${formatTime(view.at)}`;
  const counts = `${view.endpoints.length} endpoint${view.endpoints.length === 1 ? '' : 's'}, ${Math.round(view.askedPerSecond)}/s${lag}`;
  const left = `${view.fleet}  ${verdict === null ? '' : symbol} ${verdict ?? 'asking'}`;
  const middle = cut(`  ${counts}`, Math.max(0, columns - left.length - right.length - 1));
  return (
    <Text wrap="truncate">
      <Text {...styleOf('strong', colour)}>{view.fleet}</Text>
      <Text {...styleOf(verdict === null ? 'muted' : meaning, colour)}>{left.slice(view.fleet.length)}</Text>
      <Text {...styleOf(lag === '' ? 'muted' : 'warning', colour)}>{middle}</Text>
      <Text {...styleOf(paused ? 'warning' : 'muted', colour)}>{right.padStart(columns - left.length - middle.length)}</Text>
    </Text>
  );
}

function Regions({view, most, columns, colour}: Place & {readonly view: MonitorView; readonly most: number}) {
  const width = Math.min(24, Math.max(...view.regions.map(({region}) => region.length)));
  const all = view.regions.length <= most ? view.regions : worstFirst(view.regions);
  const shown = all.slice(0, view.regions.length <= most ? most : most - 1);
  const hidden = view.regions.length - shown.length;
  return (
    <Box flexDirection="column" marginTop={1}>
      {shown.map((region) => (
        <RegionLine key={region.region} region={region} width={width} at={view.at} columns={columns} colour={colour} />
      ))}
      {hidden > 0 && <Text {...styleOf('muted', colour)}>{`  and ${hidden} more, none worse`}</Text>}
    </Box>
  );
}

type RegionRow = MonitorView['regions'][number];

function worstFirst(regions: readonly RegionRow[]): readonly RegionRow[] {
  const rank = ({verdict}: RegionRow) => ['unhealthy', 'unknown', 'recovering', 'degraded', 'healthy', null].indexOf(verdict);
  return regions.toSorted((a, b) => rank(a) - rank(b));
}

function RegionLine({
  region,
  width,
  at,
  columns,
  colour,
}: Place & {readonly region: RegionRow; readonly width: number; readonly at: number}) {
  const {symbol, meaning} = verdictSign(region.verdict ?? 'unknown');
  const name = `${cut(region.region, width).padEnd(width)}  `;
  if (region.verdict === null) return <Text {...styleOf('muted', colour)}>{`· ${name}asking`}</Text>;
  const verdict = region.verdict.padEnd(11);
  const since = `${formatAge(region.since, at).padEnd(15)}  `;
  const room = columns - name.length - verdict.length - since.length - 2;
  return (
    <Text wrap="truncate">
      <Text {...styleOf(meaning, colour)}>{`${symbol} `}</Text>
      <Text>{name}</Text>
      <Text {...styleOf(meaning, colour)}>{verdict}</Text>
      <Text {...styleOf('muted', colour)}>{`${since}${cut(region.reason, room)}`}</Text>
    </Text>
  );
}

/** What is read instead of the list: the keys, or all about the chosen endpoint. */
function textOf(state: WatchState, view: MonitorView, columns: number): {title: string; lines: readonly string[]} {
  const rows = rowsOf(view, state);
  const chosen = rows[indexOf(state, rows)];
  if (state.help || chosen === undefined) return {title: 'keys', lines: WATCH_KEYS.map(({shown, does}) => `${shown.padEnd(12)} ${does}`)};
  return {title: `${keyOf(chosen)}  ${chosen.judged?.verdict ?? 'not asked yet'}`, lines: detailLines(chosen, view, columns - 2)};
}

type BodyProps = Place & {
  readonly view: MonitorView;
  readonly state: WatchState;
  readonly rows: readonly EndpointNow[];
  readonly page: number;
};

function Body({view, state, rows, page, columns, colour}: BodyProps) {
  if (state.help || (state.open && rows.length > 0)) {
    const {title, lines} = textOf(state, view, columns);
    return <Lines title={title} lines={lines} from={state.offset} most={page} columns={columns} colour={colour} />;
  }
  const index = indexOf(state, rows);
  const chosen = rows[index];
  if (chosen === undefined) return <Text {...styleOf('muted', colour)}>nothing matches the filter</Text>;
  const {from, to, earlier, later} = windowOn(rows.length, index, page);
  const layout = layoutOf(rows, columns);
  return (
    <>
      <Text {...styleOf('muted', colour)}>{titlesOf(layout)}</Text>
      {earlier > 0 && <Text {...styleOf('muted', colour)}>{`  ↑ ${earlier} more`}</Text>}
      {rows.slice(from, to).map((row) => (
        <EndpointLine
          key={keyOf(row)}
          text={lineOf(row, view.at, layout)}
          row={row}
          chosen={row === chosen}
          stale={ageMs(row, view.at) > STALE_MS}
          colour={colour}
        />
      ))}
      {later > 0 && <Text {...styleOf('muted', colour)}>{`  ↓ ${later} more`}</Text>}
    </>
  );
}

type LinesProps = Place & {readonly title: string; readonly lines: readonly string[]; readonly from: number; readonly most: number};

function Lines({title, lines, from, most, columns, colour}: LinesProps) {
  const hidden = lines.length - from - most;
  const shown = hidden <= 0 ? lines.slice(from) : [...lines.slice(from, from + most - 1), `↓ ${hidden + 1} more`];
  return (
    <>
      <Text {...styleOf('strong', colour)}>{cut(`${title}${from === 0 ? '' : `  (↑ ${from} more)`}`, columns)}</Text>
      {shown.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
        <Text key={index} wrap="truncate">
          {`  ${line}`}
        </Text>
      ))}
    </>
  );
}

/** How wide each column is. */
type Layout = {readonly name: number; readonly probe: number; readonly spark: number; readonly detail: number};

const FIXED = 3 + 11 + 9 + 8;

function layoutOf(rows: readonly EndpointNow[], columns: number): Layout {
  const longest = rows.reduce((most, row) => Math.max(most, keyOf(row).length), 8);
  const name = Math.min(longest, Math.max(12, Math.floor(columns * 0.35)));
  const probe = columns >= 110 ? 10 : 0;
  const left = columns - FIXED - name - 2 - probe;
  const spark = left >= 60 ? 30 : left >= 22 ? 12 : 0;
  return {name, probe, spark, detail: Math.max(0, left - spark - (spark === 0 ? 0 : 2))};
}

function titlesOf({name, probe, spark, detail}: Layout): string {
  const middle = `${'endpoint'.padEnd(name)}  ${probe === 0 ? '' : 'probe'.padEnd(probe)}${'verdict'.padEnd(11)}${'latency'.padStart(9)}${'age'.padStart(8)}`;
  return `   ${middle}${spark === 0 ? '' : `  ${'last looks'.padStart(spark)}`}${detail < 6 ? '' : '  why'}`;
}

/** The parts of a line by what they mean: the verdict is coloured, the rest is not. */
function lineOf(row: EndpointNow, at: number, {name, probe, spark, detail}: Layout): readonly [string, string, string] {
  const {judged, history} = row;
  const age = judged === null ? '–' : shortAge(ageMs(row, at));
  const ms = judged?.reading.result.latencyMs ?? null;
  const latency = ms !== null && ms < 1 ? '<1 ms' : formatMs(ms);
  const key = keyOf(row);
  // The end of a long name tells more than its beginning.
  const shown = key.length <= name ? key.padEnd(name) : `…${key.slice(key.length - name + 1)}`;
  const before = `${shown}  ${probe === 0 ? '' : cut(row.probe, probe - 1).padEnd(probe)}`;
  const why = judged === null || judged.verdict === 'healthy' ? '' : judged.reason;
  const after = `${latency.padStart(9)}${age.padStart(8)}${spark === 0 ? '' : `  ${sparkline(history, spark)}`}${detail < 6 ? '' : `  ${cut(why, detail - 2)}`}`;
  return [before, (judged?.verdict ?? 'asking').padEnd(11), after];
}

function shortAge(ms: number): string {
  return ms < 1000 ? '<1 s' : formatMs(Math.floor(ms / 1000) * 1000);
}

type EndpointLineProps = {
  readonly text: readonly [string, string, string];
  readonly row: EndpointNow;
  readonly chosen: boolean;
  readonly stale: boolean;
  readonly colour: boolean;
};

/** Drawn anew only when its text has changed: of a thousand rows a few do. */
const EndpointLine = memo(
  ({text: [before, verdict, after], row, chosen, stale, colour}: EndpointLineProps) => {
    const {symbol, meaning} = verdictSign(row.judged?.verdict ?? 'unknown');
    const quiet: Meaning = stale ? 'muted' : 'plain';
    return (
      <Text wrap="truncate" inverse={chosen && colour}>
        <Text>{chosen ? '▸' : ' '}</Text>
        <Text {...styleOf(row.judged === null ? 'muted' : meaning, colour)}>{`${row.judged === null ? '·' : symbol} `}</Text>
        <Text {...styleOf(quiet, colour)}>{before}</Text>
        <Text {...styleOf(row.judged === null ? 'muted' : meaning, colour)}>{verdict}</Text>
        <Text {...styleOf(quiet, colour)}>{after}</Text>
      </Text>
    );
  },
  (a, b) =>
    a.text.join('\n') === b.text.join('\n') &&
    a.chosen === b.chosen &&
    a.stale === b.stale &&
    a.colour === b.colour &&
    a.row.judged?.verdict === b.row.judged?.verdict,
);

type FooterProps = Place & {readonly view: MonitorView; readonly state: WatchState; readonly shown: number};

function Footer({view, state, shown, columns, colour}: FooterProps) {
  if (state.typing)
    return <Text>{cut(`/${state.filter}█  Enter keeps it, Esc shows all (${shown} of ${view.endpoints.length})`, columns)}</Text>;
  const filter = state.filter === '' ? '' : `/${state.filter}: ${shown} of ${view.endpoints.length}  `;
  const keys =
    state.open || state.help
      ? '↑↓ PgUp PgDn scroll  Esc back  q quit'
      : WATCH_KEYS.flatMap(({short}) => (short === null ? [] : [short])).join('  ');
  return <Text {...styleOf('muted', colour)}>{cut(`${filter}${keys}  sorted: ${state.sort}`, columns)}</Text>;
}
