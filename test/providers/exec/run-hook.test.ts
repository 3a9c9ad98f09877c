import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {HookSpec} from '../../../src/lib/fleet/fleet.ts';
import {scrubber} from '../../../src/lib/fleet/scrub.ts';
import {type HookRun, runHook, verifyHook} from '../../../src/lib/providers/exec/run-hook.ts';
import {isRunning, type Programs, programs, until} from './programs.ts';

let box: Programs;
beforeEach(() => {
  box = programs();
});
afterEach(() => box.remove());

const hook = (run: readonly string[], more: Partial<HookSpec> = {}): HookSpec => ({run, verify: null, timeoutMs: 15_000, ...more});
const how = (more: Partial<HookRun> = {}): HookRun => ({
  ...{env: {}, signal: new AbortController().signal, cwd: box.dir, scrub: (text: string) => text},
  ...more,
});
const failed = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => 'it ended well',
    (error: unknown) => error,
  );

describe('a hook that ends', () => {
  it('answers the end of what it printed, both streams', async () => {
    const run = box.node('good', `process.stdout.write('one\\n'); process.stderr.write('two\\n');`);
    const {exit, tail} = await runHook(hook(run), how());
    expect(exit).toBe(0);
    expect(tail.split('\n').toSorted().join(' ')).toBe(' one two');
  });

  it('fails with the name of the program, its exit code and its last line, and nothing of its arguments', async () => {
    const run = box.node(
      'bad',
      `console.log('starting'); console.error('no such host\\n\\n'); process.exitCode = 3;`,
      '--of',
      'nobodys-business',
    );
    const error = await failed(runHook(hook(run), how()));
    expect(error).toMatchObject({code: 'hook-failed', exit: 69});
    const {message} = error as Error;
    expect(message).toBe(`${process.execPath} ended with exit code 3; its last line: no such host`);
  });

  it('says when it printed nothing, and when a signal ended it', async () => {
    const silent = await failed(runHook(hook(box.node('silent', `process.exitCode = 1;`)), how()));
    expect((silent as Error).message).toMatch(/ended with exit code 1; it printed nothing$/);
    const killed = await failed(runHook(hook(box.node('killed', `process.kill(process.pid, 'SIGKILL');`)), how()));
    expect(killed).toMatchObject({code: 'hook-failed', exit: 69});
    expect((killed as Error).message).toMatch(/ended with SIGKILL; it printed nothing$/);
  });

  it('says that it could not be started', async () => {
    const missing = await failed(runHook(hook(['no-such-program-here', 'x']), how()));
    expect(missing).toMatchObject({
      ...{code: 'hook-failed', exit: 69},
      message: expect.stringMatching(/^no-such-program-here could not be started \((?:ENOENT|EACCES)\)$/),
    });
    box.node('plain', '');
    const plain = join(box.dir, 'plain.mjs');
    expect(await failed(runHook(hook([plain]), how()))).toMatchObject({message: `${plain} could not be started (EACCES)`});
  });

  it('reads nothing: its stdin is at its end', async () => {
    const run = box.node('reader', `process.stdin.on('data', () => {}).on('end', () => console.log('nothing to read'));`);
    expect((await runHook(hook(run), how())).tail).toBe('nothing to read\n');
  });

  it('runs in the folder that it is given', async () => {
    const run = box.node('where', `console.log(process.cwd());`);
    expect((await runHook(hook(run), how())).tail).toBe(`${box.dir}\n`);
  });

  it('keeps 64 KiB of what a talkative one prints, from the beginning of a character on', async () => {
    const run = box.node('talkative', `process.stdout.write('ü'.repeat(500_000) + 'the end');`);
    const {tail} = await runHook(hook(run), how());
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(64 * 1024);
    expect(Buffer.byteLength(tail)).toBeGreaterThan(64 * 1024 - 4);
    expect(tail).toMatch(/^ü+the end$/);
  });
});

describe('what reaches a hook', () => {
  it('is literal: nothing is expanded, by nobody', async () => {
    const odd = ['$(touch pwned)', '`touch pwned`', '; touch pwned', '$HOME', '*', '', 'a b', "'", '"', '\n', '--help'];
    const run = box.node('echo', `console.log(JSON.stringify([process.argv.slice(2), process.env.REGIONCTL_MEMBER]));`, ...odd);
    const {tail} = await runHook(hook(run), how({env: {REGIONCTL_MEMBER: '$(touch pwned)'}}));
    expect(JSON.parse(tail)).toEqual([odd, '$(touch pwned)']);
    expect(box.file('pwned')).toBe(null);
    const error = await failed(runHook(hook(['$(touch pwned)']), how()));
    expect((error as Error).message).toMatch(/^\$\(touch pwned\) could not be started \((?:ENOENT|EACCES)\)$/);
    expect(box.file('pwned')).toBe(null);
  });

  it('is the environment of this process, with what it is given, without what is taken out', async () => {
    const run = box.node(
      'env',
      `console.log(JSON.stringify([process.env.PATH, process.env.REGIONCTL_TO, 'REGIONCTL_FROM' in process.env]));`,
    );
    process.env.REGIONCTL_FROM = 'an outer run';
    try {
      const {tail} = await runHook(hook(run), how({env: {REGIONCTL_TO: 'eu-west', REGIONCTL_FROM: undefined}}));
      expect(JSON.parse(tail)).toEqual([process.env.PATH, 'eu-west', false]);
    } finally {
      delete process.env.REGIONCTL_FROM;
    }
  });
});

describe('a hook and secrets', () => {
  const secret = 'hunter2-hunter2-hunter2';
  const {add, scrub} = scrubber();
  add(secret);

  it('never tells one: not in what it printed, not in its error', async () => {
    const run = box.node('teller', `console.log('the password is ${secret}'); process.exitCode = Number(process.argv[2]);`, '0');
    expect((await runHook(hook(run), how({scrub}))).tail).toBe('the password is •••\n');
    const error = await failed(runHook(hook([...run.slice(0, 2), '1']), how({scrub})));
    expect((error as Error).message).toMatch(/ended with exit code 1; its last line: the password is •••$/);
  });

  it('finds one that the cut to 64 KiB divides, and one with colours in it', async () => {
    const half = 64 * 1024 - secret.length / 2;
    const cut = box.node('cut', `process.stdout.write('a'.repeat(100_000) + '${secret}' + 'b'.repeat(${Math.ceil(half)}));`);
    const {tail} = await runHook(hook(cut), how({scrub}));
    expect(tail.replaceAll('b', '')).toMatch(/^•*$/);
    const coloured = box.node('coloured', `console.log('\\x1b[31mhunter2-\\x1b[0mhunter2-hunter2\\x07');`);
    expect((await runHook(hook(coloured), how({scrub}))).tail).toBe('•••\n');
  });
});

describe('a hook that does not end', () => {
  const deaf = `exec 2>/dev/null
    trap 'echo yes > told' TERM
    echo deaf
    echo $$ > pid
    while :; do sleep 0.1; done`;

  it('is told to end at its deadline, and killed when it does not listen', async () => {
    const error = failed(runHook(hook(box.sh('deaf', deaf), {timeoutMs: 2000}), how()));
    const pid = await box.pid('pid');
    expect(await error).toMatchObject({
      ...{code: 'hook-timeout', exit: 69},
      message: '/bin/sh had not ended after 2000 ms, and was killed; its last line: deaf',
    });
    expect([box.file('told'), isRunning(pid)]).toEqual(['yes\n', false]);
  });

  it('is bounded by the shorter of its own deadline and the one that it is given', async () => {
    const run = box.node('deaf', `setInterval(() => {}, 1000);`);
    const [own, given] = await Promise.all([
      failed(runHook(hook(run, {timeoutMs: 200}), how({timeoutMs: 60_000}))),
      failed(runHook(hook(run, {timeoutMs: 60_000}), how({timeoutMs: 200}))),
    ]);
    expect([own, given]).toMatchObject([{code: 'hook-timeout'}, {code: 'hook-timeout'}]);
    expect([own, given].map((error) => (error as Error).message)).toEqual([
      expect.stringContaining('after 200 ms'),
      expect.stringContaining('after 200 ms'),
    ]);
  });

  it('ends with the reason when it is cancelled, and nothing of it is left', async () => {
    const cancel = new AbortController();
    const error = failed(runHook(hook(box.sh('deaf', deaf)), how({signal: cancel.signal})));
    const pid = await box.pid('pid');
    cancel.abort(new Error('the run is over'));
    expect(await error).toMatchObject({message: 'the run is over'});
    expect(isRunning(pid)).toBe(false);
  });

  it('is not even started for who has cancelled', async () => {
    const run = box.node('started', `import {writeFileSync} from 'node:fs'; writeFileSync('started', 'yes');`);
    const error = await failed(runHook(hook(run), how({signal: AbortSignal.abort(new Error('cancelled'))})));
    expect([(error as Error).message, box.file('started')]).toEqual(['cancelled', null]);
  });

  /** Starts a deaf process that says when it is, and then does something else. */
  const parent = (stdio: string, then: string) => {
    const source = `process.on('SIGTERM', () => {});
      setInterval(() => {}, 1000);
      require('node:fs').writeFileSync('grandchild', String(process.pid));`;
    return `import {spawn} from 'node:child_process';
      import {existsSync} from 'node:fs';
      spawn(process.execPath, ['-e', ${JSON.stringify(source)}], {stdio: ${stdio}}).unref();
      const asking = setInterval(() => {
        if (!existsSync('grandchild')) return;
        clearInterval(asking);
        ${then}
      }, 10);`;
  };

  it('takes what it started with it, also what is deaf and silent', async () => {
    const cancel = new AbortController();
    const run = box.node('parent', parent(`'ignore'`, `setInterval(() => {}, 1000);`));
    const error = failed(runHook(hook(run), how({signal: cancel.signal})));
    const grandchild = await box.pid('grandchild');
    cancel.abort(new Error('the run is over'));
    expect(await error).toMatchObject({message: 'the run is over'});
    await until(() => !isRunning(grandchild));
  });

  it('does not wait for what it left running with its output open, and ends that', async () => {
    const run = box.node('parent', parent(`'inherit'`, `console.log('done'); process.exitCode = Number(process.argv[2]);`), '0');
    const started = performance.now();
    const {tail} = await runHook(hook(run, {timeoutMs: 15_000}), how());
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(tail).toContain('done\n');
    const grandchild = Number(box.file('grandchild'));
    await until(() => !isRunning(grandchild));
    const error = await failed(runHook(hook([...run.slice(0, 2), '5']), how()));
    expect((error as Error).message).toMatch(/ended with exit code 5/);
    await until(() => !isRunning(Number(box.file('grandchild'))));
  });

  it('does not wait either for what has left its group', async () => {
    const source = parent(`'inherit', detached: true`, `console.log('done');`);
    const started = performance.now();
    await runHook(hook(box.node('parent', source), {timeoutMs: 15_000}), how());
    expect(performance.now() - started).toBeLessThan(10_000);
    const stray = Number(box.file('grandchild'));
    // It asked to live on, and does: this test ends it.
    expect(isRunning(stray)).toBe(true);
    process.kill(stray, 'SIGKILL');
  });
});

describe("a hook's own check", () => {
  const check = (source: string, timeoutMs = 15_000, more: Partial<HookRun> = {}) =>
    verifyHook(hook(['false'], {verify: box.node('verify', source), timeoutMs}), how(more));

  it('holds with exit code 0, and does not with any other', async () => {
    expect(await check(`console.log('power is off');`)).toEqual({
      holds: true,
      says: `${process.execPath} ended with exit code 0; its last line: power is off`,
    });
    expect(await check(`console.log('power is on'); process.exitCode = 1;`)).toMatchObject({holds: false});
    expect(await check(`process.exitCode = 127;`)).toMatchObject({holds: false});
  });

  it('is unknown when it cannot be asked: out of time, killed, not there, none', async () => {
    expect(await check(`setInterval(() => {}, 1000);`, 200)).toMatchObject({holds: null, says: expect.stringContaining('200 ms')});
    expect(await check(`process.kill(process.pid, 'SIGKILL');`)).toMatchObject({holds: null, says: expect.stringContaining('SIGKILL')});
    const missing = await verifyHook(hook(['true'], {verify: ['no-such-program-here']}), how());
    // EACCES: the PATH may name a folder that this user may not enter.
    expect(missing).toEqual({
      holds: null,
      says: expect.stringMatching(/^no-such-program-here could not be started \((?:ENOENT|EACCES)\)$/),
    });
    expect(await verifyHook(hook(['true']), how())).toMatchObject({holds: null, says: expect.stringContaining('no verify')});
  });

  it('throws the reason when it is cancelled', async () => {
    const cancelled = {signal: AbortSignal.abort(new Error('cancelled'))};
    expect(await failed(check(`process.exitCode = 0;`, 15_000, cancelled))).toMatchObject({message: 'cancelled'});
  });
});
