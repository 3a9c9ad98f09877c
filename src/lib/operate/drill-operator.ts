import {spawn} from 'node:child_process';
import {closeSync, mkdirSync, openSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Operator, OperatorEnd, OperatorProcess} from '../drill/reaction-command.ts';
import {messageOf} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {operatorLogName} from './operator-logs.ts';
import {failoverBegunFor, runsOfProcess} from './process-runs.ts';

/** Regionctl as another operator would run it: the program that runs here, as a process of its own. */
export function operatorOf(open: OpenFleet): Operator | null {
  const [, program] = process.argv;
  if (program === undefined) return null;
  return {
    start: (args, runId) => start(open, program, args, runId),
    async begun(runId) {
      const state = await open.state();
      const steps = state.plan(runId)?.steps ?? [];
      const begun = new Set(state.events(runId).flatMap(({type, step}) => (type === 'intent' && step !== null ? [step] : [])));
      return steps.filter(({id}) => begun.has(id)).map(({id, phase}) => ({id, phase}));
    },
    begunBefore: async (runId) => failoverBegunFor(await open.state(), open.fleet.name, runId),
  };
}

/** It prints into a file: when this process is gone, it must be able to go on. */
function start(open: OpenFleet, program: string, args: readonly string[], runId: string): OperatorProcess {
  const dir = join(open.stateDir, 'witness');
  mkdirSync(dir, {recursive: true, mode: 0o700});
  const log = join(dir, operatorLogName(runId, open.clock.wall()));
  const output = openSync(log, 'w', 0o600);
  const child = spawn(process.execPath, [program, ...args, '--fleet', open.fleet.file], {
    detached: true,
    stdio: ['ignore', output, output],
    env: {...process.env, NO_COLOR: '1', CI: '1'},
  });
  closeSync(output);
  const ended = new Promise<OperatorEnd>((resolve) => {
    child.once('error', (error) => resolve({code: null, says: messageOf(error)}));
    child.once('exit', (code) => resolve({code, says: open.fleet.secrets.scrub(lastLine(log))}));
  });
  // It takes longer to begin anything than its journals take to be opened here.
  const journals = open.state().then((state) => runsOfProcess(state, open.fleet.name, child.pid));
  journals.catch(() => undefined);
  return {
    ended: ended.finally(() => rmSync(log, {force: true})),
    kill(signal) {
      // Only the process itself, as a crash would be; what it started ends as it does then.
      child.kill(signal);
    },
    begunRun: async () => (await journals).begunRun(),
    hasTakenUp: async (runId) => (await journals).hasTakenUp(runId),
  };
}

function lastLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)?.trim() ?? '';
  } catch {
    return 'it printed nothing';
  }
}
