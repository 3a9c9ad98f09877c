import {Box, Text} from 'ink';
import {memo} from 'react';
import {cut} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import {formatTime} from '../output/units.ts';
import {type Meaning, styleOf} from './meaning.ts';

/** A piece of a line, coloured by what it means. */
export type Part = {readonly text: string; readonly meaning: Meaning};
/** One line of the screen. What does not fit is cut off. */
export type Line = readonly Part[];
/** Lines to read instead of the list, each at most as wide as was asked for. */
export type Page = {readonly title: string; readonly lines: readonly string[]};
/** What lines beside the list may take. */
export type Space = {readonly most: number; readonly columns: number};

/** Where something is drawn. */
export type Place = {readonly columns: number; readonly colour: boolean};

/** `at` is epoch ms. */
export type TitleProps = Place & {
  readonly name: string;
  readonly stands: Part;
  readonly figures: Part;
  readonly at: number;
  readonly paused: boolean;
  /** Whether the time has its day; default true. */
  readonly day?: boolean;
};

/** The first line of a live view: what it is, how all of it stands, figures, and the time. */
export function Title({name, stands, figures, at, paused, day = true, columns, colour}: TitleProps) {
  const left = `${name}  ${stands.text}`;
  const taken = textWidth(left);
  const timed = (whole: boolean): string => `${paused ? 'paused at ' : ''}${whole ? formatTime(at) : formatTime(at).slice(-9)}`;
  // Figures come before the day, how it stands before the time.
  const isWide = taken + textWidth(figures.text) + timed(true).length + 3 <= columns;
  // When it stood still must be told whole.
  const time = timed(day && (isWide || paused));
  const right = taken + time.length < columns ? time : '';
  const middle = cut(`  ${figures.text}`, Math.max(0, columns - taken - right.length - 1));
  const between = ' '.repeat(Math.max(0, columns - taken - textWidth(middle) - right.length));
  return (
    <Box>
      <Text wrap="truncate">
        <Text {...styleOf('strong', colour)}>{name}</Text>
        <Text {...styleOf(stands.meaning, colour)}>{left.slice(name.length)}</Text>
        <Text {...styleOf(figures.meaning, colour)}>{`${middle}${between}`}</Text>
      </Text>
      {/* By itself: Ink remembers some thousand texts that it has measured, and this one is another each second. */}
      <Box flexShrink={0}>
        <Text {...styleOf(paused ? 'warning' : 'muted', colour)}>{right}</Text>
      </Box>
    </Box>
  );
}

/** Lines, one below the other; `above` with a blank one before them. */
export function Lines({
  lines,
  colour,
  above = false,
}: {
  readonly lines: readonly Line[];
  readonly colour: boolean;
  readonly above?: boolean;
}) {
  if (lines.length === 0) return null;
  return (
    <Box flexDirection="column" marginTop={above ? 1 : 0}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
        <OneLine key={index} line={line} colour={colour} />
      ))}
    </Box>
  );
}

type OneLineProps = {readonly line: Line; readonly colour: boolean; readonly inverse?: boolean};

/** Drawn anew only when what it says has changed: of a thousand rows a few do. */
export const OneLine = memo(
  ({line, colour, inverse = false}: OneLineProps) => (
    <Text wrap="truncate" inverse={inverse && colour}>
      {line.map(({text, meaning}, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line have no other identity
        <Text key={index} {...styleOf(meaning, colour)}>
          {text}
        </Text>
      ))}
    </Text>
  ),
  (a, b) => a.colour === b.colour && a.inverse === b.inverse && isSame(a.line, b.line),
);

function isSame(a: Line, b: Line): boolean {
  return a.length === b.length && a.every(({text, meaning}, index) => text === b[index]?.text && meaning === b[index]?.meaning);
}

/** A page to read: what does not fit is counted. */
export function Reading({title, lines, from, most, columns, colour}: Place & Page & {readonly from: number; readonly most: number}) {
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
