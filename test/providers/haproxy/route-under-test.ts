import {onTestFinished} from 'vitest';
import type {Ctx} from '../../../src/lib/plan/action.ts';
import {type HaproxyRoute, haproxyRouter} from '../../../src/lib/providers/haproxy/haproxy-router.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {type Entry, type Script, type ScriptedRuntime, scriptedRuntime} from './scripted-runtime.ts';

/** The regions of these tests, and their servers. */
export const SERVERS = {us: ['be/us1', 'be/us2'], eu: ['be/eu1']};
export const ALL = {'be/us1': {}, 'be/us2': {}, 'be/eu1': {}};

/** A scripted runtime API that ends with the test. */
export async function runtime(servers: Readonly<Record<string, Partial<Entry>>> = ALL, script?: Script): Promise<ScriptedRuntime> {
  const started = await scriptedRuntime(servers);
  if (script !== undefined) started.script = script;
  onTestFinished(() => started.close());
  return started;
}

export const at = (port: number) => ({name: `HAProxy at 127.0.0.1:${port}`, to: {host: '127.0.0.1', port}});

/** The router over these ports. */
export function router(ports: readonly number[], more: Partial<HaproxyRoute> = {}, stateFile: string | null = null) {
  const instances = ports.map((port) => ({place: at(port), stateFile}));
  return haproxyRouter({name: 'front-door', servers: SERVERS, clock, instances, ...more});
}

export const live = () => new AbortController().signal;
export const ctx = (signal = live(), ms = 20_000): Ctx => {
  return {runId: 'r', token: 't', signal, now: () => performance.now(), deadline: performance.now() + ms};
};

type Failure = {code?: string; exit?: number; message?: string; suggestions?: readonly string[]};

/** How an attempt failed; `{}` when it did not. */
export const failed = (attempt: Promise<unknown>): Promise<Failure> =>
  attempt.then(
    () => ({}),
    (error: unknown) => Object(error) as Failure,
  );
