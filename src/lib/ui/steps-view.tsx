import {Box, Text} from 'ink';
import {memo} from 'react';
import {cut} from '../output/table.ts';
import {formatMs} from '../output/units.ts';
import {statusSign, styleOf} from './meaning.ts';
import type {StepView} from './run-store.ts';
import {windowOn} from './step-window.ts';

type StepsProps = {
  readonly steps: readonly StepView[];
  readonly rows: number;
  readonly now: number;
  readonly columns: number;
  readonly colour: boolean;
};

/** The steps, as many as there is room for, around the one that runs. */
export function Steps({steps, rows, now, columns, colour}: StepsProps) {
  const {from, to, earlier, later} = windowOn(steps.length, currentOf(steps), rows);
  return (
    <Box flexDirection="column">
      {earlier === 0 ? null : <Text {...styleOf('muted', colour)}>{`  … ${earlier} earlier`}</Text>}
      {steps.slice(from, to).map((step) => (
        <StepRow key={step.id} step={step} tookMs={tookMs(step, now)} columns={columns} colour={colour} />
      ))}
      {later === 0 ? null : <Text {...styleOf('muted', colour)}>{`  … ${later} more`}</Text>}
    </Box>
  );
}

const PHASE = 10;
const TOOK = 9;

/* Memoized: on most frames only the running step changes. */
const StepRow = memo(function StepRow({
  step,
  tookMs: ms,
  columns,
  colour,
}: {
  readonly step: StepView;
  readonly tookMs: number | null;
  readonly columns: number;
  readonly colour: boolean;
}) {
  const {symbol, meaning} = statusSign(step.status);
  const room = columns - 2 - PHASE - TOOK;
  const failed = step.status === 'failed' && step.detail !== null;
  const text = cut(failed ? `${step.title}: ${step.detail}` : step.title, room - 1);
  return (
    <Text wrap="truncate">
      <Text {...styleOf(meaning, colour)}>{`${symbol} `}</Text>
      <Text {...styleOf('muted', colour)}>{cut(step.phase, PHASE - 1).padEnd(PHASE)}</Text>
      <Text {...styleOf(step.status === 'pending' ? 'muted' : failed ? 'critical' : 'plain', colour)}>{text.padEnd(room)}</Text>
      <Text {...styleOf('muted', colour)}>{(ms === null ? '' : formatMs(ms)).padStart(TOOK)}</Text>
    </Text>
  );
});

/** The step that runs, else the one after the last that ended. */
function currentOf(steps: readonly StepView[]): number {
  const running = steps.findIndex(({status}) => status === 'running');
  return running >= 0 ? running : steps.findLastIndex(({status}) => status !== 'pending') + 1;
}

/** In tenths of a second while it runs, so that a row is drawn ten times a second at most. */
function tookMs({status, startedAt, endedAt}: StepView, now: number): number | null {
  if (startedAt === null) return null;
  if (endedAt !== null) return endedAt - startedAt;
  return status === 'running' ? Math.floor(Math.max(0, now - startedAt) / 100) * 100 : null;
}
