import {expect} from 'vitest';
import type {Runner} from '../../../src/kit/testing.ts';

/** Runs a suite here and now, and answers the names of the tests that failed: what a suite says of a liar. */
export async function failuresOf(define: (runner: Runner) => void): Promise<string[]> {
  const tests: {name: string; body: () => Promise<void>}[] = [];
  define({describe: (_, body) => body(), it: (name, body) => void tests.push({name, body}), expect});
  const failed: string[] = [];
  for (const {name, body} of tests) {
    await body().catch(() => failed.push(name));
  }
  if (tests.length === 0) throw new Error('the suite has no tests');
  return failed;
}
