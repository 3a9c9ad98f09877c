import {spawn} from 'node:child_process';
import {createWriteStream} from 'node:fs';
import {stdin} from 'node:process';
import type {GuardOrder, GuardReport} from './guard.ts';

// Stands between regionctl and a program that must not outlive it: runs the program in a process group of its own, and ends the whole group when its own
// stdin is closed, which a regionctl that was killed does too. It is in a session of its own, so that no Ctrl+C reaches it.
const LOOK_MS = 20;

const reports = createWriteStream('', {fd: 3});
// Nobody is left to be told.
reports.on('error', () => undefined);
const report = (what: GuardReport): void => void reports.write(`${JSON.stringify(what)}\n`);

let text = '';
let begun = false;
stdin.setEncoding('utf8');
stdin.on('data', (part: string) => {
  text += part;
  const [line, rest] = text.split('\n', 2);
  if (begun || rest === undefined || line === undefined) return;
  begun = true;
  guard(JSON.parse(line) as GuardOrder);
});
stdin.on('end', () => {
  if (!begun) process.exit(0);
});

function guard({command, cwd, timeoutMs, forceAfterMs, leaves}: GuardOrder): void {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {cwd, detached: true, stdio: ['ignore', 'inherit', 'inherit']});
  child.on('error', (error: NodeJS.ErrnoException) => {
    report({failed: error.code ?? 'unknown reason'});
    leave();
  });
  const {pid} = child;
  if (pid === undefined) return;
  report({pid});
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    endGroup(pid, forceAfterMs).then(leave, leave);
  };
  child.on('exit', (code, signal) => {
    report({code, signal});
    // What it left running ends with it, unless that is what it is for, or it was on its way to its end.
    if (leaves !== true || ending) return end();
    ending = true;
    leave();
  });
  stdin.on('end', end).on('error', end);
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, end);
  setTimeout(() => {
    report({timeout: timeoutMs});
    end();
  }, timeoutMs);
}

/** SIGTERM to the group, and SIGKILL when it is not empty by then. */
async function endGroup(pid: number, forceAfterMs: number): Promise<void> {
  const until = performance.now() + forceAfterMs;
  for (let there = signalGroup(pid, 'SIGTERM'); there && performance.now() < until; there = signalGroup(pid, 0)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  signalGroup(pid, 'SIGKILL');
}

/** Whether there was anybody. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    // EPERM: it took another user's rights, and is out of our reach.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function leave(): void {
  reports.end(() => process.exit(0));
  // A pipe that nobody reads any more.
  setTimeout(() => process.exit(0), 200).unref();
}
