import {Box, Text} from 'ink';
import {cut} from '../output/table.ts';
import {formatMs} from '../output/units.ts';
import {styleOf} from './meaning.ts';

type PromptsProps = {
  readonly lines: readonly string[];
  readonly unseen: number;
  readonly withinMs: number;
  readonly columns: number;
  readonly colour: boolean;
};

/** What a person is to do now, whole: nobody can follow half of an instruction. */
export function Prompts({lines, unseen, withinMs, columns, colour}: PromptsProps) {
  return (
    <Box flexDirection="column" marginBottom={1} width={columns}>
      <Text {...styleOf('strong', colour)}>{cut(`A person is to do this within ${formatMs(withinMs)}:`, columns)}</Text>
      {lines.map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two lines of a text may be the same
        <Text key={row} wrap="truncate">
          {line}
        </Text>
      ))}
      {unseen === 0 ? null : (
        <Text {...styleOf('warning', colour)}>
          {cut(`… ${unseen} more lines: make the terminal larger, or read the drill's file`, columns)}
        </Text>
      )}
    </Box>
  );
}
