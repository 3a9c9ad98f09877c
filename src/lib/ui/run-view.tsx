import {Box, useAnimation, useInput, useStdin, useWindowSize} from 'ink';
import {useEffect, useRef, useState, useSyncExternalStore} from 'react';
import {cut} from '../output/table.ts';
import {formatMs} from '../output/units.ts';
import {gapLines} from './gap-lines.ts';
import {keysOf} from './keys.ts';
import {type Line, Lines, type Part, Reading, Title} from './line-view.tsx';
import {outcomeMeaning} from './meaning.ts';
import {namesWidth, regionLine} from './region-line.ts';
import {layOut, promptLines, type RunLayout} from './run-layout.ts';
import {afterRunPress, FOLLOWING, helpRows, RUN_HELP, type RunLook} from './run-state.ts';
import type {RunStore, StepView, RunView as View} from './run-store.ts';
import {currentOf, stepLines} from './steps-lines.ts';

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
  const asked = view.steps.find(({status, prompts}) => status === 'running' && prompts !== null)?.prompts ?? null;
  const prompts = asked === null ? [] : promptLines(asked.lines, columns);
  const plan = layOut({rows, regions: view.regions.length, gap: view.witness !== null, prompts});
  const current = currentOf(view.steps);
  const held = useLook({steps: view.steps.length, current, rows: plan.steps, isActive: !ended, onInterrupt});
  // What stays on the terminal is the record of the run, not what somebody was just reading.
  const look = ended || view.closed ? FOLLOWING : held;
  const now = store.now();
  const looked = look.at ?? current;
  return (
    <Box flexDirection="column" width={columns}>
      <Title {...titleOf(view, now, columns)} columns={columns} colour={colour} />
      <Lines lines={regionLines(view, plan, now, columns)} colour={colour} above />
      <Lines lines={asked === null ? [] : askedLines(asked, plan, columns)} colour={colour} above />
      <Lines lines={view.witness === null ? [] : gapLines(view.witness, plan.big)} colour={colour} above />
      <Box flexDirection="column" marginTop={1}>
        {look.help ? (
          <Reading title="keys" lines={RUN_HELP} from={look.offset} most={helpRows(plan.steps)} columns={columns} colour={colour} />
        ) : (
          <Lines lines={stepLines(view.steps, {looked, rows: plan.steps, now, columns})} colour={colour} />
        )}
      </Box>
      <Lines lines={ended ? [] : [footerOf(view.interrupted, look, columns)]} colour={colour} above />
    </Box>
  );
}

type Looking = {
  readonly steps: number;
  readonly current: number;
  readonly rows: number;
  readonly isActive: boolean;
  readonly onInterrupt: () => void;
};

/**
 * What the reader looks at, by the keys. No key of it can be meant for somebody else: the questions of a command are asked before its run is shown, and what
 * a person is told to do during a run is done elsewhere; the run itself sees that it was.
 */
function useLook({steps, current, rows, isActive, onInterrupt}: Looking): RunLook {
  const [look, setLook] = useState(FOLLOWING);
  // Several keys may come before the next frame: each must find what the one before has done.
  const latest = useRef(look);
  const {isRawModeSupported} = useStdin();
  useInput(
    (input, key) => {
      const next = afterRunPress(latest.current, {input, key}, {steps, current, rows});
      // Whoever stops a run wants to see what becomes of it.
      latest.current = next === 'interrupt' ? FOLLOWING : next;
      setLook(latest.current);
      if (next === 'interrupt') onInterrupt();
    },
    {isActive: isRawModeSupported && isActive},
  );
  return look;
}

function titleOf({title, outcome, startedAt, endedAt, steps}: View, now: number, columns: number) {
  const elapsed = startedAt === null ? 0 : Math.max(0, (endedAt ?? now) - startedAt);
  const state = `${outcome ?? 'running'}  ${formatMs(Math.floor(elapsed / FRAME_MS) * FRAME_MS)}`;
  const stands: Part = {text: state, meaning: outcome === null ? 'active' : outcomeMeaning(outcome)};
  const done = steps.filter(({status}) => status === 'done' || status === 'skipped').length;
  const name = cut(title, columns - state.length - 2);
  const counts = `${done} of ${steps.length} steps`;
  const day = columns >= 100;
  const left = columns - name.length - state.length - (day ? 20 : 9);
  const figures: Part = {text: counts.length + 5 <= left ? counts : '', meaning: 'muted'};
  return {name, stands, figures, at: endedAt ?? now, paused: false, day};
}

/** The regions, with the age of each verdict: what was seen when the plan was made is old while it runs. */
function regionLines({regions, endedAt}: View, {regions: most}: RunLayout, now: number, columns: number): readonly Line[] {
  const place = {at: endedAt ?? now, width: namesWidth(regions), columns};
  return regions.slice(0, most).map(({region, verdict, note, at}) => regionLine({region, verdict, since: at, reason: note}, place));
}

/** What a person is to do now, whole: nobody can follow half of an instruction. */
function askedLines({withinMs}: NonNullable<StepView['prompts']>, {prompts, unseen}: RunLayout, columns: number): readonly Line[] {
  const more = `… ${unseen} more lines: make the terminal larger, or read the drill's file`;
  return [
    [{text: cut(`A person is to do this within ${formatMs(withinMs)}:`, columns), meaning: 'strong'}],
    ...prompts.map((text): Line => [{text, meaning: 'plain'}]),
    ...(unseen === 0 ? [] : [[{text: cut(more, columns), meaning: 'warning' as const}]]),
  ];
}

const KEYS = keysOf('run')
  .flatMap(({short}) => (short === null ? [] : [short]))
  .toReversed()
  .join('  ');

function footerOf(note: string | null, {at, help}: RunLook, columns: number): Line {
  const says = help ? `Esc back  ${KEYS}` : at === null ? KEYS : `Esc follow  ${KEYS}`;
  return [{text: cut(note ?? says, columns), meaning: note === null ? 'muted' : 'warning'}];
}
