import {Box, Text, useAnimation, useInput, useStdin, useWindowSize} from 'ink';
import {useEffect, useSyncExternalStore} from 'react';
import {cut} from '../output/table.ts';
import {padRight, textWidth} from '../output/text-width.ts';
import {formatMs} from '../output/units.ts';
import {Gap} from './gap-view.tsx';
import {keyAction, RUN_KEYS} from './keys.ts';
import {type Meaning, outcomeMeaning, styleOf, verdictSign} from './meaning.ts';
import {Prompts} from './prompts-view.tsx';
import {layOut, promptLines} from './run-layout.ts';
import type {RegionView, RunStore, RunView as View} from './run-store.ts';
import {Steps} from './steps-view.tsx';

/** `onInterrupt` is asked for, not acted on: the runner decides what an interrupt means. */
export type RunViewProps = {readonly store: RunStore; readonly colour: boolean; readonly onInterrupt: () => void};

const FRAME_MS = 100;

/** The live view of a run: regions, the write gap, the steps. It never fills the terminal, so that its last frame stays as the record. */
export function RunView({store, colour, onInterrupt}: RunViewProps) {
  const view = useSyncExternalStore(store.subscribe, store.getSnapshot);
  const {columns, rows} = useWindowSize();
  const ended = view.outcome !== null;
  const {frame} = useAnimation({interval: FRAME_MS, isActive: !ended});
  // The witness is asked once a frame, not once a write: at 200 writes a second nobody could read more.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the frame is the clock that drives it
  useEffect(() => store.refresh(), [frame, store]);
  const {isRawModeSupported} = useStdin();
  useInput((input, key) => keyAction(input, key) === 'interrupt' && onInterrupt(), {isActive: isRawModeSupported && !ended});
  const asked = view.steps.find(({status, prompts}) => status === 'running' && prompts !== null)?.prompts ?? null;
  const prompts = asked === null ? [] : promptLines(asked.lines, columns);
  const plan = layOut({rows, regions: view.regions.length, gap: view.witness !== null, prompts});
  return (
    <Box flexDirection="column" width={columns}>
      <Header view={view} now={store.now()} columns={columns} colour={colour} />
      {plan.regions === 0 && asked !== null ? null : (
        <Regions regions={view.regions.slice(0, plan.regions)} columns={columns} colour={colour} />
      )}
      {asked === null ? null : (
        <Prompts lines={plan.prompts} unseen={plan.unseen} withinMs={asked.withinMs} columns={columns} colour={colour} />
      )}
      {view.witness === null ? null : <Gap witness={view.witness} big={plan.big} columns={columns} colour={colour} />}
      <Steps steps={view.steps} rows={plan.steps} now={store.now()} columns={columns} colour={colour} />
      {ended ? null : <Footer note={view.interrupted} columns={columns} colour={colour} />}
    </Box>
  );
}

function Header({
  view,
  now,
  columns,
  colour,
}: {
  readonly view: View;
  readonly now: number;
  readonly columns: number;
  readonly colour: boolean;
}) {
  const elapsed = view.startedAt === null ? 0 : Math.max(0, (view.endedAt ?? now) - view.startedAt);
  const state = `${view.outcome ?? 'running'}  ${formatMs(Math.floor(elapsed / FRAME_MS) * FRAME_MS)}`;
  const meaning: Meaning = view.outcome === null ? 'active' : outcomeMeaning(view.outcome);
  return (
    <Box justifyContent="space-between" marginBottom={1} width={columns}>
      <Text {...styleOf('strong', colour)}>{cut(view.title, columns - state.length - 2)}</Text>
      <Text {...styleOf(meaning, colour)}>{state}</Text>
    </Box>
  );
}

function Regions({
  regions,
  columns,
  colour,
}: {
  readonly regions: readonly RegionView[];
  readonly columns: number;
  readonly colour: boolean;
}) {
  const width = Math.min(24, Math.max(0, ...regions.map(({region}) => textWidth(region))));
  return (
    <Box flexDirection="column" marginBottom={1}>
      {regions.map(({region, verdict, note}) => {
        const {symbol, meaning} = verdictSign(verdict);
        const head = `${padRight(cut(region, width), width)}  `;
        return (
          <Text key={region} wrap="truncate">
            <Text {...styleOf(meaning, colour)}>{symbol} </Text>
            <Text>{head}</Text>
            <Text {...styleOf(meaning, colour)}>{verdict.padEnd(11)}</Text>
            <Text {...styleOf('muted', colour)}>{cut(note, columns - width - 15)}</Text>
          </Text>
        );
      })}
    </Box>
  );
}

function Footer({note, columns, colour}: {readonly note: string | null; readonly columns: number; readonly colour: boolean}) {
  const keys = RUN_KEYS.map(({shown, does}) => `${shown}: ${does}`).join('   ');
  return (
    <Box marginTop={1}>
      <Text {...styleOf(note === null ? 'muted' : 'warning', colour)}>{cut(note ?? keys, columns)}</Text>
    </Box>
  );
}
