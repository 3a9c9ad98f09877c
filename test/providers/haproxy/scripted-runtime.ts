import type {Socket} from 'node:net';
import {type Listener, listen} from '../listener.ts';

/** One server of a scripted HAProxy. `admin` are the bits of srv_admin_state. */
export type Entry = {weight: number; configured: number; admin: number; sessions: number};

/** What comes in place of the true reply: another text, nothing ever, a connection that is closed at once. `undefined` = the true reply. */
export type Script = (command: string) => string | 'hang' | 'drop' | undefined;

/** A runtime API over TCP whose state the test can see, and whose replies it can change. */
export type ScriptedRuntime = {
  readonly port: number;
  readonly servers: Map<string, Entry>;
  /** Every command that arrived, in order; those that only look are left out. */
  readonly orders: string[];
  /** Most commands that came over one connection. */
  mostPerConnection(): number;
  script: Script;
  close(): Promise<void>;
};

const HEAD =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';

/** Starts one with these servers (`be/us1` and so on), each with weight 100 unless more is said. */
export async function scriptedRuntime(servers: Readonly<Record<string, Partial<Entry>>>): Promise<ScriptedRuntime> {
  let most = 0;
  const runtime = {
    servers: new Map(
      Object.entries(servers).map(([name, entry]) => [name, {weight: 100, configured: 100, admin: 0, sessions: 0, ...entry}]),
    ),
    orders: [] as string[],
    script: (() => undefined) as Script,
    mostPerConnection: () => most,
  };
  const listener: Listener = await listen((socket) => {
    socket.setEncoding('utf8');
    let text = '';
    socket.on('data', (part: string) => {
      text += part;
      if (!text.endsWith('\n')) return;
      const commands = text.split(/[;\n]/).filter((each) => each !== '');
      most = Math.max(most, commands.length);
      for (const command of commands) reply(socket, runtime, command);
    });
  });
  return Object.assign(runtime, {port: listener.port, close: listener.close});
}

function reply(socket: Socket, runtime: Pick<ScriptedRuntime, 'servers' | 'orders' | 'script'>, command: string): void {
  const scripted = runtime.script(command);
  if (!command.startsWith('show ')) runtime.orders.push(command);
  if (scripted === 'hang') return;
  if (scripted === 'drop') socket.destroy();
  else socket.end(scripted ?? trueReply(runtime.servers, command));
}

function trueReply(servers: Map<string, Entry>, command: string): string {
  if (command === 'show servers state') return `1\n${HEAD}\n${[...servers].map(stateRow).join('')}\n`;
  if (command.startsWith('show stat')) return `# pxname,svname,qcur,qmax,scur,smax,\n${[...servers].map(statRow).join('')}\n`;
  const [, name, what, value] = /^(?:set server|shutdown sessions server) (\S+)(?: (\S+) (\S+))?$/.exec(command) ?? [];
  const entry = servers.get(name ?? '');
  if (entry === undefined) return 'No such server.\n\n';
  if (what === undefined) entry.sessions = 0;
  if (what === 'weight') entry.weight = Number(value);
  if (what === 'state') entry.admin = value === 'ready' ? entry.admin & ~0x09 : entry.admin | 0x01;
  return '\n';
}

function stateRow([name, {weight, configured, admin}]: [string, Entry]): string {
  const [backend, server] = name.split('/');
  return `3 ${backend} 1 ${server} 127.0.0.1 2 ${admin} ${weight} ${configured} 1 1 0 2 0 0 0 0 - 25990 - 0 0 - - 0\n`;
}

function statRow([name, {sessions}]: [string, Entry]): string {
  return `${name.replace('/', ',')},0,0,${sessions},3,\n`;
}
