import {expect, it} from 'vitest';
import {hostContract} from '../../../src/kit/testing.ts';
import {refused, unavailable} from '../../../src/lib/errors.ts';
import type {Host} from '../../../src/lib/ports/host.ts';
import {failuresOf} from './failures.ts';

type Machine = {running: boolean; follows: boolean};

/** A host that keeps its promises, in memory. */
function honest(machine: Machine): Host {
  const run = async (signal: AbortSignal, running: boolean, upstream?: string | null) => {
    signal.throwIfAborted();
    if (upstream !== undefined && upstream !== null && upstream !== 'us') throw refused('unknown-upstream', upstream);
    machine.running = running;
    if (upstream !== undefined) machine.follows = upstream !== null;
  };
  return {
    status: async (signal) => {
      signal.throwIfAborted();
      return {running: machine.running, detail: machine.running ? 'it runs' : 'it is stopped'};
    },
    stop: (signal) => run(signal, false),
    start: (signal) => run(signal, true),
    startAsStandby: (upstream, signal) => run(signal, true, upstream),
    rebuild: async (upstream, signal) => {
      await run(signal, true, upstream);
      return {bytes: 1};
    },
    rewind: async (upstream, signal) => {
      await run(signal, true, upstream);
      return {bytes: 0};
    },
  };
}

const gone = () => Promise.reject(unavailable('host-unreachable', 'nobody there'));
const silent: Host = {status: gone, stop: gone, start: gone, startAsStandby: gone, rebuild: gone};

/** A machine that was made to run without the host. */
const writable = (machine: Machine & {primary?: boolean}): boolean => machine.primary === true;

function said(lie: (machine: Machine, host: Host) => Partial<Host>, unreachable: Partial<Host> = {}): Promise<string[]> {
  return failuresOf((runner) =>
    hostContract(runner, async () => {
      const machine = {running: true, follows: true};
      const host = honest(machine);
      return {
        host: {...host, ...lie(machine, host)},
        ...{upstream: 'us', isRunningFromOutside: async () => machine.running},
        isFollowingFromOutside: async () => machine.running && machine.follows,
        takesWritesFromOutside: async () => machine.running && writable(machine),
        unreachable: {...silent, ...unreachable},
      };
    }),
  );
}

it('finds nothing against an honest host', async () => {
  expect(await said(() => ({}))).toEqual([]);
});

it.each<[string, Parameters<typeof said>, string]>([
  ['only says that it stops', [() => ({stop: async () => undefined})], 'stops it'],
  [
    'cannot stop twice',
    [(machine, {stop}) => ({stop: (signal) => (machine.running ? stop(signal) : Promise.reject(new Error('not running')))})],
    'stops it, and stopping it again',
  ],
  ['always says running', [() => ({status: async () => ({running: true, detail: 'it runs'})})], 'stops it'],
  ['copies nothing', [() => ({rebuild: async () => ({bytes: 0})})], 'rebuilds it'],
  [
    'takes any upstream',
    [(_, {startAsStandby}) => ({startAsStandby: (_up, signal) => startAsStandby('us', signal)})],
    'refuses an upstream',
  ],
  [
    'follows somebody when nobody is named',
    [(_, {startAsStandby}) => ({startAsStandby: (up, signal) => startAsStandby(up ?? 'us', signal)})],
    'as a standby of nobody',
  ],
  [
    'comes up as a primary when nobody is named',
    [
      (machine, {startAsStandby}) => ({
        startAsStandby: async (up, signal) => {
          await startAsStandby(up, signal);
          Object.assign(machine, {primary: up === null});
        },
      }),
    ],
    'as a standby of nobody',
  ],
  [
    'cannot turn a standby that runs',
    [
      (machine, {startAsStandby}) => ({
        startAsStandby: (up, signal) => (machine.running ? Promise.reject(refused('running', 'it runs')) : startAsStandby(up, signal)),
      }),
    ],
    'turns a standby that runs',
  ],
  [
    'rewinds and leaves it stopped',
    [(_, {stop}) => ({rewind: (_up, signal) => stop(signal).then(() => ({bytes: 0}))})],
    'rewinds a stopped one',
  ],
  [
    'rewinds to any upstream',
    [(_, {startAsStandby}) => ({rewind: (_up, signal) => startAsStandby('us', signal).then(() => ({bytes: 0}))})],
    'refuses an upstream',
  ],
  ['goes on after a cancel', [(_, {stop}) => ({stop: () => stop(new AbortController().signal)})], 'touches nothing'],
  ['answers in the name of nobody', [() => ({}), {status: async () => ({running: null, detail: '?'})}], 'does not answer'],
])('finds a host that %s', async (_, lie, failing) => {
  expect((await said(...lie)).join('\n')).toContain(failing);
});
