import {unavailable} from '../../errors.ts';
import type {SecretVault} from '../../fleet/secrets.ts';
import type {Notifier} from '../../ports/notifier.ts';
import {placeEnv} from './hooks.ts';
import {endSentence, runProgram} from './run-program.ts';

/** A program that is told of runs. `timeoutMs` is the deadline of one delivery. */
export type ExecNotice = {
  readonly run: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly secrets: SecretVault;
};

/**
 * Runs the program once for each notice, which it reads from its stdin as one JSON document. Exit code 0 = delivered. Throws `notice-failed`
 * (exit 69) for everything else, or the reason of the signal.
 */
export function execNotifier({run, cwd, timeoutMs, secrets}: ExecNotice): Notifier {
  return {
    async deliver(notice, signal) {
      const {from, to} = notice.run;
      const input = secrets.scrub(`${JSON.stringify(notice)}\n`);
      const env = placeEnv({runId: notice.runId, from, to});
      const end = await runProgram({run, cwd, timeoutMs, signal, env, input, scrub: secrets.scrub});
      if (end.how === 'exit' && end.code === 0) return;
      throw unavailable('notice-failed', secrets.scrub(endSentence(run[0] ?? '', end)));
    },
  };
}
