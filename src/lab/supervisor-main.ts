import {messageOf} from '../lib/errors.ts';
import type {LabOptions} from './lab-context.ts';
import {Supervisor} from './supervisor.ts';
import {removeFiles} from './sweep.ts';

// The process that owns a lab. Its parent sends the options, gets one answer, and may then leave.
process.once('message', (options: LabOptions) => {
  run(options).catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  });
});

async function run(options: LabOptions): Promise<void> {
  const supervisor = new Supervisor(options, () => void end());
  let ready = false;
  const end = async () => {
    await supervisor.stop();
    process.exit(0);
  };
  let leaving: Promise<void> | null = null;
  const leave = async (reason: string) => {
    await supervisor.stop();
    await removeFiles(supervisor.record());
    if (process.connected) process.send?.({failed: reason}, () => process.exit(1));
    else process.exit(1);
  };
  // The first reason counts: a start that was interrupted fails for that.
  const giveUp = (reason: string) => (leaving ??= leave(reason));
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => void (ready ? end() : giveUp('it was interrupted')));
  process.on('SIGHUP', () => undefined);
  process.once('disconnect', () => void (ready ? undefined : giveUp('nobody waits for it any more')));
  try {
    await supervisor.start();
    ready = true;
    process.send?.({ready: true}, () => process.disconnect());
  } catch (error) {
    await giveUp(messageOf(error));
  }
}
