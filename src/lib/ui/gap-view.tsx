import {Box, Text} from 'ink';
import {formatMs} from '../output/units.ts';
import {bigDigits} from './big-digits.ts';
import {gapMeaning, styleOf} from './meaning.ts';
import type {WitnessView} from './run-store.ts';

/** The outage as clients feel it: how long ago a write was last acknowledged, and what became of the writes. */
export function Gap({
  witness,
  big,
  columns,
  colour,
}: {
  readonly witness: WitnessView;
  readonly big: boolean;
  readonly columns: number;
  readonly colour: boolean;
}) {
  const ms = (witness.writing ? witness.sinceLastAckMs : witness.longestGapMs) ?? 0;
  const label = witness.writing ? 'since the last acknowledged write' : 'longest write gap';
  const style = styleOf(gapMeaning(ms), colour);
  const longest = witness.writing && witness.longestGapMs !== null ? `longest ${formatMs(witness.longestGapMs)}` : '';
  return (
    <Box flexDirection="column" marginBottom={1} width={columns}>
      {big ? (
        <Box>
          <Box flexDirection="column" flexShrink={0}>
            {bigDigits(gapText(ms)).map((line, row) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the three lines of a number are told apart by nothing else
              <Text key={row} {...style}>
                {line}
              </Text>
            ))}
          </Box>
          <Box flexDirection="column" marginLeft={3}>
            <Text wrap="truncate">{label}</Text>
            <Text wrap="truncate" {...styleOf('muted', colour)}>
              {longest}
            </Text>
          </Box>
        </Box>
      ) : (
        <Text wrap="truncate">
          <Text {...style}>{gapText(ms)}</Text> {label} {longest}
        </Text>
      )}
      <Counts witness={witness} colour={colour} />
    </Box>
  );
}

function Counts({witness, colour}: {readonly witness: WitnessView; readonly colour: boolean}) {
  const {acknowledged, unanswered, lost} = witness;
  const lostText = lost === null ? 'lost: not read back yet' : `${lost} lost`;
  return (
    <Text wrap="truncate">
      <Text {...styleOf('good', colour)}>{acknowledged} acknowledged</Text>
      <Text {...styleOf('muted', colour)}>{`  ${unanswered} not acknowledged  `}</Text>
      <Text {...styleOf(lost === null ? 'muted' : lost === 0 ? 'good' : 'critical', colour)}>{lostText}</Text>
    </Text>
  );
}

/** Two digits below the second while it is short, so that the number moves; then one. */
function gapText(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
