import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import type {Ctx} from '../../../src/lib/plan/action.ts';
import {createHooks} from '../../../src/lib/providers/exec/hooks.ts';
import {type Programs, programs} from './programs.ts';

let box: Programs;
beforeEach(() => {
  box = programs();
});
afterEach(() => box.remove());

const NAMES = ['RUN_ID', 'REGION', 'STORE', 'MEMBER', 'FROM', 'TO'];

function hooks() {
  const show = `console.log(JSON.stringify(${JSON.stringify(NAMES)}.map((name) => process.env['REGIONCTL_' + name] ?? null)));`;
  const run = box.node('show', `${show} console.log(process.cwd());`);
  return createHooks({
    hooks: {
      fence: {run, verify: run, timeoutMs: 15_000},
      slow: {run: box.node('slow', 'setInterval(() => {}, 1000);'), verify: null, timeoutMs: 60_000},
    },
    file: join(box.dir, 'regionctl.yaml'),
    secrets: {reveal: async () => '', scrub: (text) => text.replaceAll('orders', '•••')},
  });
}

const ctx = (ms = 15_000): Ctx => {
  return {runId: 'run-1', token: 't', signal: new AbortController().signal, now: () => performance.now(), deadline: performance.now() + ms};
};

it('tells a hook what is known of the place, in the folder of the fleet file', async () => {
  const {exit, tail} = await hooks().run(
    'fence',
    {region: 'us-east', store: 'payments', member: 'us-east', from: 'us-east', to: 'eu-west'},
    ctx(),
  );
  expect(exit).toBe(0);
  const [names, folder] = tail.split('\n');
  expect(JSON.parse(names ?? '')).toEqual(['run-1', 'us-east', 'payments', 'us-east', 'us-east', 'eu-west']);
  expect(folder).toBe(box.dir);
});

it('leaves out what is not known, also when an outer run has left it', async () => {
  process.env.REGIONCTL_MEMBER = 'of an outer run';
  try {
    const {tail} = await hooks().run('fence', {region: 'eu-west', to: null}, ctx());
    expect(JSON.parse(tail.split('\n')[0] ?? '')).toEqual(['run-1', 'eu-west', null, null, null, null]);
  } finally {
    delete process.env.REGIONCTL_MEMBER;
  }
});

it('asks the check of a hook, and takes secrets out of what it says', async () => {
  const {holds, says} = await hooks().verify('fence', {store: 'orders'}, ctx());
  expect(holds).toBe(true);
  expect(says).toContain('exit code 0');
  const {tail} = await hooks().run('fence', {store: 'orders'}, ctx());
  expect(tail).toContain('"•••"');
});

it('ends a hook at the deadline of the step', async () => {
  await expect(hooks().run('slow', {}, ctx(300))).rejects.toMatchObject({code: 'hook-timeout', exit: 69});
  expect(await hooks().verify('slow', {}, ctx())).toMatchObject({holds: null});
});

it('knows its names, and no others', async () => {
  const known = hooks();
  expect([known.has('fence'), known.has('fences'), known.has('constructor'), known.has('__proto__')]).toEqual([true, false, false, false]);
  for (const name of ['fences', 'constructor']) {
    await expect(known.run(name, {}, ctx())).rejects.toMatchObject({exit: 64, message: `the fleet file has no hook called "${name}"`});
    await expect(known.verify(name, {}, ctx())).rejects.toMatchObject({exit: 64});
  }
});
