import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {Ajv2020} from 'ajv/dist/2020.js';
import {expect} from 'vitest';

export const ROOT = resolve(import.meta.dirname, '../..');
export const BIN = join(ROOT, 'bin/regionctl');

/** How a process ended and what it printed. */
export type Ended = {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};
type Options = {readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly bin?: string; readonly deadlineMs?: number};

/** The environment of a person: without what the test runner and a CI set. */
export function personalEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const without = /^(VITEST|TEST$|NODE_ENV$|NODE_OPTIONS$|REGIONCTL|CI$|CONTINUOUS|BUILD_|NO_COLOR$|FORCE_COLOR$|DEBUG$|COLUMNS$)/;
  return {...Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.test(name))), ...more};
}

/** Runs the built program to its end. stdin is closed. */
export function regionctl(args: readonly string[], {cwd, env, bin = BIN, deadlineMs = 60_000}: Options = {}): Promise<Ended> {
  return ended(bin, args, {...(cwd === undefined ? {} : {cwd}), env: personalEnv(env), timeout: deadlineMs});
}

/** Runs any program to its end. */
export function ended(
  program: string,
  args: readonly string[],
  options: {cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number},
): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, {...options, stdio: ['ignore', 'pipe', 'pipe'], killSignal: 'SIGKILL'});
    const text = {stdout: '', stderr: ''};
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (chunk) => (text[name] += chunk));
    child.on('error', failed);
    child.on('close', (status, signal) => done({status, signal, ...text}));
  });
}

/** What to show when an expectation about it does not hold. */
export const shown = ({status, signal, stdout, stderr}: Ended) => `exit ${status ?? signal}\n-- stdout\n${stdout}\n-- stderr\n${stderr}`;

/** stdout as the one JSON document that it must be. */
export function documentOf(result: Ended): Record<string, unknown> {
  expect(() => JSON.parse(result.stdout), shown(result)).not.toThrow();
  return JSON.parse(result.stdout) as Record<string, unknown>;
}

/** Holds when the document is what the published schema says. */
export function expectSchema(name: string, document: unknown, context = ''): void {
  const schema = JSON.parse(readFileSync(join(ROOT, `schemas/${name}.schema.json`), 'utf8')) as object;
  const valid = new Ajv2020({validateFormats: false, allErrors: true}).compile(schema);
  expect(valid(document), `${name}: ${JSON.stringify(valid.errors, null, 1)}\n${context}`).toBe(true);
}

/** Never a stack trace, never a warning of Node. */
export function expectNoTrace({stdout, stderr}: Ended): void {
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .+:\d+:\d+\)?$|Warning: |node:internal|EPIPE/mu);
}

/** The JSON document, after checking that it is the error document, that its code is the process's, and that there is nothing else. */
export function errorOf(result: Ended): {code: string; message: string; suggestions: string[]; exit: number} {
  const document = documentOf(result);
  expectSchema('error', document, shown(result));
  expectNoTrace(result);
  expect(Object.keys(document), shown(result)).toEqual(['error']);
  expect(result.stderr, shown(result)).toBe('');
  const error = document.error as {code: string; message: string; suggestions: string[]; exit: number};
  expect(result.status, shown(result)).toBe(error.exit);
  return error;
}
