import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {failure} from '../tcp/connection-failure.ts';
import {endSentence, type ProgramEnd, runProgram} from './run-program.ts';

/** A plugin to run, and where. */
export type ExecTarget = {
  readonly run: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly scrub: (text: string) => string;
};

/** Nobody waits for it by then: it is gone before the command is. */
const FORCE_AFTER_MS = 200;

/** Runs a monitoring plugin: 0 = good, 1 = good with a warning, 2 = failed, 3 or anything else = it could not tell. Its first line is the reason. */
export function execProbe(target: ExecTarget): Probe {
  return {check: (signal) => runOnce(target, signal)};
}

async function runOnce({run, cwd, timeoutMs, env, scrub}: ExecTarget, signal: AbortSignal): Promise<ProbeResult> {
  const [program = ''] = run;
  const started = performance.now();
  try {
    const end = await runProgram({run, env, cwd, timeoutMs, signal, scrub, forceAfterMs: FORCE_AFTER_MS});
    return judged(program, end, performance.now() - started);
  } catch (error) {
    if (signal.aborted) return {ok: null, latencyMs: null, code: 'interrupted', detail: `${program} was not waited for`};
    throw error;
  }
}

function judged(program: string, end: ProgramEnd, latencyMs: number): ProbeResult {
  const {says, perfdata} = firstLine(end.head.trim() === '' ? end.tail : end.head);
  const detail = says === '' ? endSentence(program, end) : says;
  const facts = perfdata === '' ? {} : {facts: {perfdata}};
  if (end.how === 'timeout') return failure('timeout', `${program} had not ended after ${end.afterMs} ms`);
  if (end.how !== 'exit') return {ok: null, latencyMs: null, code: 'probe-failed', detail: endSentence(program, end)};
  if (end.code === 0) return {ok: true, latencyMs, code: 'ok', detail, ...facts, local: true};
  const warning = {code: 'plugin-warning', says: detail};
  if (end.code === 1) return {ok: true, latencyMs, code: 'ok', detail, ...facts, warning, local: true};
  if (end.code === 2) return {ok: false, latencyMs, code: 'plugin-critical', detail, ...facts, local: true};
  return {ok: null, latencyMs: null, code: 'plugin-unknown', detail, ...facts};
}

/** Longer ones are no sentence. */
const LINE_CHARACTERS = 300;

/** `text | label=value …`, as the monitoring plugins' guidelines have it. */
function firstLine(text: string): {says: string; perfdata: string} {
  const first = text.split('\n').find((line) => line.trim() !== '') ?? '';
  const at = first.indexOf('|');
  const [says, perfdata] = at < 0 ? [first, ''] : [first.slice(0, at), first.slice(at + 1)];
  return {says: says.trim().slice(0, LINE_CHARACTERS), perfdata: perfdata.trim()};
}
