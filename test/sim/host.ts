import {unavailable} from '../../src/lib/errors.ts';
import type {Host} from '../../src/lib/ports/host.ts';
import {crash, makeStandby, rebuild, rewind, start, stop} from './power.ts';
import type {Process} from './process.ts';
import type {Server} from './server.ts';

const REACH_MS = 1000;
const WORK_MS = 10_000;
const REBUILD_MS = 300;
const REWIND_MS = 80;

/** One request to something that is no server: it arrives or not, and is answered or not. */
export function request<T>(
  process: Process,
  {to, label, withinMs = REACH_MS}: {readonly to: string; readonly label: string; readonly withinMs?: number},
  signal: AbortSignal,
  work: (answer: (value: T) => void) => void,
): Promise<T> {
  const {net} = process.fleet;
  const [there, back] = [net.channel(process.place, to), net.channel(to, process.place)];
  return new Promise<T>((resolve, reject) => {
    const done = new AbortController();
    const over = AbortSignal.any([signal, done.signal]);
    process
      .clock()
      .sleep(withinMs, over)
      .then(
        () => reject(unavailable('host-unreachable', `${to} did not answer in time.`)),
        () => signal.aborted && reject(signal.reason),
      );
    const answer = (value: T): void =>
      net.send(back, () =>
        process.take(() => {
          done.abort();
          resolve(value);
        }),
      );
    process.send(label, () => net.send(there, () => work(answer)));
  });
}

/** Control over the machine of one member. It is reached by a way of its own. */
export function simHost(process: Process, server: Server, rewinds: boolean): Host {
  const place = `host:${server.name}`;
  const call = <T>(label: string, signal: AbortSignal, work: (answer: (value: T) => void) => void): Promise<T> =>
    request(process, {to: place, label: `${place} ${label}`, withinMs: label === 'status' ? REACH_MS : WORK_MS}, signal, work);
  const asStandby = (upstream: string, answer: (value: undefined) => void): void =>
    stop(server, () => {
      makeStandby(server, upstream);
      start(server, () => answer(undefined));
    });
  const back = (upstream: string, answer: (value: {bytes: number}) => void): void => {
    const source = process.fleet.server(upstream);
    process.fleet.scheduler.after(REWIND_MS, () => {
      if (!source.running || server.status !== 'stopped') return;
      rewind(server, source);
      start(server, () => answer({bytes: 0}));
    });
  };
  return {
    status: (signal) =>
      call('status', signal, (answer) =>
        answer({running: server.status !== 'stopped', detail: server.status === 'stopped' ? 'that it is stopped' : 'that it runs'}),
      ),
    stop: (signal) => call<undefined>('stop', signal, (answer) => stop(server, () => answer(undefined))),
    start: (signal) => call<undefined>('start', signal, (answer) => start(server, () => answer(undefined))),
    startAsStandby: (upstream, signal) => call<undefined>('start as standby', signal, (answer) => asStandby(upstream ?? '', answer)),
    rebuild: (upstream, signal) =>
      call('rebuild', signal, (answer) => {
        const source = process.fleet.server(upstream);
        crash(server);
        process.fleet.scheduler.after(REBUILD_MS, () => {
          if (!source.running) return;
          rebuild(server, source, process.fleet.ruleOf(server.name));
          start(server, () => answer({bytes: server.log.length}));
        });
      }),
    ...(rewinds
      ? {rewind: (upstream: string, signal: AbortSignal) => call<{bytes: number}>('rewind', signal, (answer) => back(upstream, answer))}
      : {}),
  };
}
