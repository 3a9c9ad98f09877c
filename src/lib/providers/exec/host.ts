import {refused, unavailable} from '../../errors.ts';
import type {Host, HostStatus} from '../../ports/host.ts';
import type {ProviderContext} from '../define.ts';
import type {HostConfig} from './host-provider.ts';
import {endSentence, type ProgramEnd, runProgram} from './run-program.ts';

type Name = 'status' | 'stop' | 'start' | 'startAsStandby' | 'rebuild' | 'rewind';

/** Exit codes of `status` by the convention of init scripts and pg_ctl. */
const RUNS = 0;
const STOPPED = 3;
/** The exit code by which `rewind` says that the data does not allow it. */
const CANNOT_REWIND = 4;

/** The host of one member, by commands of the fleet file. `rewind` is there only when its command is. */
export function execHost(config: HostConfig, member: string, context: ProviderContext): Host {
  const call = (name: Name, signal: AbortSignal, upstream: string | null = null) => run({config, member, context, name, upstream, signal});
  const must = async (name: Name, signal: AbortSignal, upstream: string | null = null): Promise<string> => {
    const end = await call(name, signal, upstream);
    if (end.how === 'exit' && end.code === 0) return end.tail;
    if (name === 'rewind' && end.how === 'exit' && end.code === CANNOT_REWIND)
      throw refused('cannot-rewind', `${member} cannot be rewound: ${context.secrets.scrub(end.tail.trim().split('\n').at(-1) ?? '')}`);
    throw unavailable(
      'host-failed',
      context.secrets.scrub(`the host of ${member} could not ${WORDS[name]}: ${endSentence(programOf(config, member, name), end)}`),
    );
  };
  const host: Host = {
    status: async (signal) => statusOf(await call('status', signal), programOf(config, member, 'status')),
    stop: async (signal) => void (await must('stop', signal)),
    start: async (signal) => void (await must('start', signal)),
    startAsStandby: async (upstream, signal) => void (await must('startAsStandby', signal, upstream)),
    rebuild: async (upstream, signal) => ({bytes: bytesOf(await must('rebuild', signal, upstream))}),
  };
  if (config.rewind === undefined) return host;
  return {...host, rewind: async (upstream, signal) => ({bytes: bytesOf(await must('rewind', signal, upstream))})};
}

const WORDS: Readonly<Record<Name, string>> = {
  status: 'tell whether its server runs',
  stop: 'stop its server',
  start: 'start its server',
  startAsStandby: 'start its server as a standby',
  rebuild: 'rebuild it',
  rewind: 'rewind it',
};

type Call = {
  readonly config: HostConfig;
  readonly member: string;
  readonly context: ProviderContext;
  readonly name: Name;
  readonly upstream: string | null;
  readonly signal: AbortSignal;
};

async function run({config, member, context, name, upstream, signal}: Call): Promise<ProgramEnd> {
  const command = config[name];
  if (command === undefined)
    throw refused('host-cannot', `the host of ${member} has no command to ${WORDS[name]}`, {
      suggestions: [`Add ${name} to the host of ${member} in the fleet file.`],
    });
  const values = placeholders(member, upstream, context);
  return runProgram({
    run: command.map((argument) => filled(argument, values, member)),
    env: {REGIONCTL_MEMBER: member, REGIONCTL_UPSTREAM: upstream ?? ''},
    cwd: context.baseDir,
    timeoutMs: name === 'rebuild' || name === 'rewind' ? config.rebuildTimeout : config.timeout,
    signal,
    scrub: context.secrets.scrub,
  });
}

/** What stands in braces. A value goes into one argument whole, whatever signs it has: no shell reads it. */
function placeholders(member: string, upstream: string | null, {fleet}: ProviderContext): Readonly<Record<string, string>> {
  const store = fleet.stores.find(({members}) => members.some(({name}) => name === member));
  const own = addressing(store?.members.find(({name}) => name === member)?.config);
  const other = addressing(store?.members.find(({name}) => name === upstream)?.config);
  const way = (upstream === null ? undefined : own.upstreams[upstream]) ?? other.address;
  return {member, upstream: upstream ?? '', 'upstream.host': way?.host ?? '', 'upstream.port': way === undefined ? '' : String(way.port)};
}

type Address = {readonly host: string; readonly port: number};

/** A member's config belongs to its engine; those that replicate have these two. */
function addressing(config: unknown): {address: Address | undefined; upstreams: Readonly<Record<string, Address>>} {
  const {address, upstreams} = (typeof config === 'object' && config !== null ? config : {}) as {
    address?: Address;
    upstreams?: Record<string, Address>;
  };
  return {address, upstreams: upstreams ?? {}};
}

function filled(argument: string, values: Readonly<Record<string, string>>, member: string): string {
  return argument.replaceAll(/\{([a-z.]+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return value;
    throw refused(
      'host-placeholder',
      `the host of ${member} uses ${whole}, which is no placeholder; known: ${Object.keys(values)
        .map((each) => `{${each}}`)
        .join(', ')}`,
    );
  });
}

function programOf(config: HostConfig, member: string, name: Name): string {
  return config[name]?.[0] ?? member;
}

function statusOf(end: ProgramEnd, program: string): HostStatus {
  if (end.how === 'exit' && end.code === RUNS) return {running: true, detail: 'it runs'};
  if (end.how === 'exit' && end.code === STOPPED) return {running: false, detail: 'it is stopped'};
  return {running: null, detail: endSentence(program, end)};
}

function bytesOf(tail: string): number {
  const [, digits] = /^bytes=(\d+)$/m.exec(tail) ?? [];
  return digits === undefined ? 0 : Number(digits);
}
