import {type ChildProcess, spawn} from 'node:child_process';
import {join} from 'node:path';
import type {Belongings} from './belongings.ts';
import type {Targets} from './dashboard-fleet.ts';
import {REGIONCTL, ROOT} from './lab.ts';
import {type Cost, costOf} from './process-cost.ts';
import {PseudoTerminal, personalEnv} from './pseudo-terminal.ts';
import type {Report} from './report.ts';

/** `warmMs`: how long each program runs before it is watched, for `forMs`. */
export type Windows = {readonly warmMs: number; readonly forMs: number};
/** A cost with the requests a second that were answered meanwhile: a program that falls behind would look cheap. */
type Asking = Cost & {readonly answeredPerSecond: number};
type Subject = {readonly fleet: string; readonly targets: Targets; readonly windows: Windows; readonly belongings: Belongings};

const [CPU_LIMIT, RSS_LIMIT_MB] = [12, 200];
/** Of the requests that are due. */
const ASKED_SHARE = 0.97;

/** What the dashboard takes with 200 endpoints and 21 links at 1 Hz, and, one after the other in the same run, `health watch` without drawing and a prober of undici alone. */
export async function measureCost({add}: Report, subject: Subject): Promise<void> {
  const {targets} = subject;
  const drawn = await drawing(subject);
  const watched = await without(
    subject,
    spawn(REGIONCTL, ['health', 'watch', '--fleet', subject.fleet], {env: personalEnv(), stdio: 'ignore'}),
  );
  const prober = spawn(join(ROOT, 'node_modules/.bin/node'), ['--max-semi-space-size=16', join(ROOT, 'bench/prober-undici.ts')], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  prober.stdin.write(`${JSON.stringify(targets.ports)}\n`);
  const undici = await without(subject, prober);
  const detail = {dashboard: drawn, healthWatch: watched, undici};
  const fleet = `dashboard at 120x40, ${targets.ports.length} endpoints and 21 links at 1 Hz, fresh connections`;
  const asks = ({answeredPerSecond}: Asking): boolean => answeredPerSecond >= targets.ports.length * ASKED_SHARE;
  const percent = '% of a core';
  add(`${fleet}: CPU`, `<= ${CPU_LIMIT} %`, drawn.cpuPercent, percent, drawn.cpuPercent <= CPU_LIMIT && asks(drawn), detail);
  const rss = Math.max(drawn.rssMb, drawn.peakMb);
  add('the same: highest memory (RSS), start-up included', `<= ${RSS_LIMIT_MB} MB`, rss, 'MB', rss <= RSS_LIMIT_MB, drawn);
  add('the same: highest memory (RSS) after the warm-up', `<= ${RSS_LIMIT_MB} MB`, drawn.rssMb, 'MB', drawn.rssMb <= RSS_LIMIT_MB, drawn);
  add('the same: written to the terminal', 'no limit', drawn.bytesPerSecond, 'bytes a second', true, drawn);
  add('health watch of the same endpoints, not drawn: CPU', 'no limit', watched.cpuPercent, percent, asks(watched), watched);
  add('a prober of undici alone, the same endpoints: CPU', 'no limit', undici.cpuPercent, percent, asks(undici), undici);
  const times = (peer: Cost): number => drawn.cpuPercent / peer.cpuPercent;
  add('CPU of the dashboard, of that of health watch', 'no limit', times(watched), 'times', true, detail);
  add('CPU of the dashboard, of that of undici', 'no limit', times(undici), 'times', true, detail);
}

type Drawing = Asking & {readonly bytesPerSecond: number; readonly framesPerSecond: number; readonly whole: number};

async function drawing({fleet, targets, windows, belongings}: Subject): Promise<Drawing> {
  const terminal = belongings.own(await PseudoTerminal.start(['dashboard', '--fleet', fleet], {columns: 120, rows: 40}), (it) => it.stop());
  // Both kinds of sources have to be there before anything is called a cost of theirs.
  await terminal.frameWhere(
    (screen) => new RegExp(`${targets.ports.length} endpoints, 21 links`, 'u').test(screen.lines()[0] ?? ''),
    'the header with all endpoints and 21 links',
    60_000,
  );
  await sleep(windows.warmMs);
  terminal.forget();
  const bytes = terminal.bytes;
  const cost = await asking(terminal.pid, targets, windows);
  const perSecond = (count: number): number => count / (windows.forMs / 1000);
  const seen = {
    ...cost,
    bytesPerSecond: Math.round(perSecond(terminal.bytes - bytes)),
    framesPerSecond: Math.round(perSecond(terminal.frames.length) * 10) / 10,
    whole: terminal.frames.filter(({cleared}) => cleared).length,
  };
  await terminal.quit();
  return seen;
}

async function without({targets, windows, belongings}: Subject, child: ChildProcess): Promise<Asking> {
  belongings.own(child, (it) => it.kill('SIGKILL'));
  await sleep(windows.warmMs);
  const cost = await asking(child.pid as number, targets, windows);
  child.kill('SIGKILL');
  return cost;
}

async function asking(pid: number, targets: Targets, {forMs}: Windows): Promise<Asking> {
  const [before, began] = [await targets.answered(), performance.now()];
  const cost = await costOf(pid, forMs);
  const answered = (await targets.answered()) - before;
  return {...cost, answeredPerSecond: Math.round((answered / (performance.now() - began)) * 1000)};
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
