import {refused, unavailable} from '../../errors.ts';
import type {Host, HostStatus} from '../../ports/host.ts';
import type {ProviderContext} from '../define.ts';
import type {HostConfig} from './host-provider.ts';
import {fill, placeholdersOf} from './host-values.ts';
import {lastLine} from './output-tail.ts';
import {endSentence, type ProgramEnd, runProgram} from './run-program.ts';

type Name = 'status' | 'stop' | 'start' | 'startAsStandby' | 'rebuild' | 'rewind';

/** Exit codes of `status` by the convention of init scripts and pg_ctl. */
const RUNS = 0;
const STOPPED = 3;
/** The exit code by which `rewind` says that the data does not allow it. */
const CANNOT_REWIND = 4;

const WORDS: Readonly<Record<Name, string>> = {
  status: 'tell whether its server runs',
  stop: 'stop its server',
  start: 'start its server',
  startAsStandby: 'start its server as a standby',
  rebuild: 'rebuild it',
  rewind: 'rewind it',
};

/**
 * The host of one member, by commands of the fleet file. A command that is not there refuses with `host-cannot` (77), one that fails throws
 * `host-failed`, one that takes too long `host-timeout` (both 69). `rewind` is there only when its command is.
 */
export function execHost(config: HostConfig, member: string, context: ProviderContext): Host {
  const call = (name: Name, signal: AbortSignal, upstream: string | null = null) => run({config, member, context}, name, upstream, signal);
  const must = async (name: Name, signal: AbortSignal, upstream: string | null = null): Promise<string> => {
    const end = await call(name, signal, upstream);
    if (end.how === 'exit' && end.code === 0) return end.tail;
    throw failure({config, member, context}, name, end);
  };
  const host: Host = {
    status: async (signal) => statusOf(await call('status', signal), config.status[0] ?? ''),
    stop: async (signal) => void (await must('stop', signal)),
    start: async (signal) => void (await must('start', signal)),
    startsStandbys: config.start !== undefined && config.startAsStandby !== undefined,
    startAsStandby: async (upstream, signal) => void (await must('startAsStandby', signal, upstream)),
    rebuild: async (upstream, signal) => ({bytes: bytesOf(await must('rebuild', signal, upstream))}),
  };
  if (config.rewind === undefined) return host;
  return {...host, rewind: async (upstream, signal) => ({bytes: bytesOf(await must('rewind', signal, upstream))})};
}

type Place = {readonly config: HostConfig; readonly member: string; readonly context: ProviderContext};

async function run({config, member, context}: Place, name: Name, upstream: string | null, signal: AbortSignal): Promise<ProgramEnd> {
  const command = config[name];
  if (command === undefined)
    throw refused('host-cannot', `the host of ${member} cannot ${WORDS[name]}: the fleet file gives it no ${name}`, {
      suggestions: [`Add ${name} to the host of ${member} in the fleet file.`],
    });
  const values = placeholdersOf(config, member, upstream, context);
  return runProgram({
    run: command.map((argument) => fill(argument, values, member)),
    env: {REGIONCTL_MEMBER: member, REGIONCTL_UPSTREAM: upstream ?? ''},
    cwd: context.baseDir,
    timeoutMs: name === 'rebuild' || name === 'rewind' ? config.rebuildTimeout : config.timeout,
    signal,
    scrub: context.secrets.scrub,
  });
}

/** What it printed and what it was given may hold what is not for everybody: secrets are taken out, and arguments are not shown. */
function failure({config, member, context}: Place, name: Name, end: ProgramEnd): Error {
  const {scrub} = context.secrets;
  if (name === 'rewind' && end.how === 'exit' && end.code === CANNOT_REWIND)
    return refused('cannot-rewind', scrub(`${member} cannot be rewound: ${lastLine(end.tail) ?? 'its host gives no reason'}`));
  const sentence = `the host of ${member} could not ${WORDS[name]}: ${endSentence(config[name]?.[0] ?? name, end)}`;
  return unavailable(end.how === 'timeout' ? 'host-timeout' : 'host-failed', scrub(sentence), {
    suggestions: [`Run the ${name} command of ${member} by hand, in the folder of the fleet file.`],
  });
}

function statusOf(end: ProgramEnd, program: string): HostStatus {
  if (end.how === 'exit' && end.code === RUNS) return {running: true, detail: 'it runs'};
  if (end.how === 'exit' && end.code === STOPPED) return {running: false, detail: 'it is stopped'};
  return {running: null, detail: endSentence(program, end)};
}

/** What `bytes=N` says on a line of its own; 0 when it does not say. */
function bytesOf(tail: string): number {
  const [, digits] = /^bytes=(\d+)\s*$/m.exec(tail) ?? [];
  return digits === undefined ? 0 : Number(digits);
}
