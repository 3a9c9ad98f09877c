import {spawn} from 'node:child_process';
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, describe, expect, it, onTestFinished} from 'vitest';
import {faultContract} from '../../../src/kit/testing.ts';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import {createVault} from '../../../src/lib/fleet/vault.ts';
import type {Json} from '../../../src/lib/plan/json.ts';
import type {ProviderContext} from '../../../src/lib/providers/define.ts';
import {execFault} from '../../../src/lib/providers/exec/fault.ts';
import {execFaultSchema} from '../../../src/lib/providers/exec/fault-provider.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {leasedFault} from '../../drill/leased-fault.ts';
import {isRunning, programs, until} from './programs.ts';

const box = programs();
afterAll(() => box.remove());
const there = join(box.dir, 'cut-east');
afterEach(() => rmSync(there, {force: true}));

const SECRET = 'unguessable-7381';
const context: ProviderContext = {
  fleet: {name: 'lab', regions: [{name: 'east'}], routes: [{name: 'door'}]} as unknown as Fleet,
  secrets: createVault({baseDir: box.dir, env: {TOKEN: SECRET}}),
  clock: systemClock(),
  baseDir: box.dir,
};
const CUT = {
  inject: ['/bin/sh', '-c', 'echo "$@" $REGIONCTL_FAULT $REGIONCTL_RUN_ID > "$0-$1"', 'cut', '{region}', '{lease}'],
  heal: ['/bin/sh', '-c', 'rm -f "cut-$0"', '{region}'],
  prove: ['/bin/sh', '-c', 'test ! -e "cut-$0"', '{region}'],
};
const faultOf = (cut: object = {}, more: object = {}) =>
  execFault(execFaultSchema.parse({faults: {cut: {...CUT, timeout: '5s', ...cut}}, ...more}), context);
const ctx = (signal = AbortSignal.timeout(60_000)) => ({
  ...{runId: 'run-7', token: 't', signal},
  now: () => performance.now(),
  deadline: performance.now() + 60_000,
});
const order = (args: Json = {}, leaseMs = 60_500) => ({kind: 'cut', region: 'east', args, leaseMs});
const active = async (fault = faultOf()) => fault.active('east', AbortSignal.timeout(5000));

faultContract({describe, it, expect}, async () => ({
  fault: leasedFault(faultOf(), join(box.dir, 'state')),
  unreachable: leasedFault(
    faultOf({prove: ['/bin/sh', '-c', 'exit 4'], heal: ['/bin/false'], inject: ['/bin/false']}),
    join(box.dir, 'lost'),
  ),
  again: () => faultOf(),
  ...{region: 'east', kind: 'cut', args: {}, ctx},
  isActiveFromOutside: async () => existsSync(there),
}));

describe('a fault by commands', () => {
  it('is given its place, its lease in seconds and the arguments of the drill, without a shell', async () => {
    await faultOf({inject: [...CUT.inject, '{args.ms}', '{print $1}']}).inject(ctx(), order({ms: 300}));
    expect(box.file('cut-east')).toBe('east 61 300 {print $1} cut run-7\n');
  });

  it.each([
    ['is missing', {}],
    ['has signs of a shell', {ms: '3;reboot'}],
    ['would be taken for an option', {ms: '-rf'}],
    ['is no plain value', {ms: {a: 1}}],
  ])('is not begun when an argument %s', async (_, args) => {
    await expect(faultOf({inject: [...CUT.inject, '{args.ms}']}).inject(ctx(), order(args))).rejects.toMatchObject({
      code: 'fault-value',
      exit: 77,
    });
    expect(existsSync(there)).toBe(false);
  });

  it('finds secrets in its environment, and never tells them', async () => {
    const told = faultOf({inject: ['/bin/sh', '-c', 'echo the token is $TOKEN; exit 1']}, {env: {TOKEN: `\${env:TOKEN}`}});
    const failure = await told.inject(ctx(), order()).catch((error: unknown) => error);
    expect(failure).toMatchObject({code: 'fault-failed', message: expect.stringContaining('the token is •••')});
    const missing = faultOf({}, {env: {TOKEN: `\${env:NOT_SET}`}});
    expect(await active(missing)).toMatchObject({known: false, reason: expect.stringContaining('NOT_SET')});
  });

  it('is healed at once when it fails halfway', async () => {
    const half = faultOf({inject: ['/bin/sh', '-c', 'touch "cut-$0"; echo no such device; exit 2', '{region}']});
    await expect(half.inject(ctx(), order())).rejects.toMatchObject({
      message: expect.stringMatching(/exit code 2; its last line: no such device; it was healed at once, and none is left$/u),
    });
    expect(existsSync(there)).toBe(false);
  });

  it('is said to be left when the heal does not end it, and not known when nobody can tell', async () => {
    const inject = ['/bin/sh', '-c', 'touch "cut-$0"; exit 2', '{region}'];
    await expect(faultOf({inject, heal: ['/bin/false']}).inject(ctx(), order())).rejects.toMatchObject({
      message: expect.stringContaining('it is left: cut could not be healed on east'),
    });
    await expect(faultOf({inject, prove: ['/bin/sh', '-c', 'exit 7']}).inject(ctx(), order())).rejects.toMatchObject({
      message: expect.stringContaining('it is not known whether it is left'),
    });
    expect(await active(faultOf({prove: ['/no/such/program']}))).toMatchObject({known: false, reason: expect.stringContaining('ENOENT')});
  });

  it('is healed when whoever asked for it is interrupted, and its command is gone', async () => {
    const stop = new AbortController();
    const slow = faultOf({inject: ['/bin/sh', '-c', 'touch "cut-$0"; echo $$ > inject.pid; exec sleep 60', '{region}']});
    const asked = slow.inject(ctx(stop.signal), order());
    const pid = await box.pid('inject.pid');
    stop.abort(new Error('interrupted'));
    await expect(asked).rejects.toMatchObject({message: expect.stringMatching(/^interrupted; it was healed at once/u)});
    expect([isRunning(pid), existsSync(there)]).toEqual([false, false]);
  });

  it('ends with regionctl when that is killed (-9), and with everything of its command: nothing lands afterwards', async () => {
    box.sh('inject', 'echo $$ > killed.pid; sleep 60 & echo $! > child.pid; wait; touch landed');
    const regionctl = spawn(process.execPath, [join(import.meta.dirname, 'children', 'killed-inject.ts')], {
      cwd: box.dir,
      stdio: 'inherit',
    });
    const pids = [await box.pid('killed.pid'), await box.pid('child.pid')];
    expect(pids.every(isRunning)).toBe(true);
    regionctl.kill('SIGKILL');
    await until(() => !pids.some(isRunning));
    expect(box.file('landed')).toBeNull();
  });

  it('leaves running what its command began in the background, in a session of its own or not, and does not wait for it', async () => {
    const daemon = `const child = spawn('sleep', ['60'], {detached: true, stdio: 'ignore'}); console.log(child.pid); child.unref();`;
    const own = box.node('daemon', `import {spawn} from 'node:child_process'; ${daemon}`);
    const begin = ['"$@" > daemon.pid', 'sleep 60 & echo $! > group.pid', 'echo begun'];
    const began = performance.now();
    expect(await faultOf({inject: ['/bin/sh', '-c', begin.join('; '), 'sh', ...own]}).inject(ctx(), order())).toEqual({says: 'begun'});
    const pids = [await box.pid('daemon.pid'), await box.pid('group.pid')];
    onTestFinished(() => pids.forEach((pid) => void process.kill(pid, 'SIGKILL')));
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(pids.map(isRunning)).toEqual([true, true]);
  });

  it('is ended with everything of its command when its time is over', async () => {
    const inject = ['/bin/sh', '-c', 'sleep 60 & echo $! > late.pid; echo waiting; wait'];
    await expect(faultOf({inject, timeout: '500ms'}).inject(ctx(), order())).rejects.toMatchObject({
      message: expect.stringContaining('/bin/sh had not ended after 500 ms, and was killed; its last line: waiting; it was healed at once'),
    });
    expect(isRunning(await box.pid('late.pid'))).toBe(false);
    await expect(faultOf({inject: ['./nowhere']}).inject(ctx(), order())).rejects.toMatchObject({
      message: expect.stringContaining('./nowhere could not be started (ENOENT)'),
    });
  });

  it('says how long it may take, by the longest timeout of its kinds: each command may take that', () => {
    const {injectMs, healMs, lateMs} = execFault(execFaultSchema.parse({faults: {cut: {...CUT, timeout: '3m'}, slow: CUT}}), context);
    expect({injectMs, healMs, lateMs}).toEqual({injectMs: 4 * 180_000, healMs: 3 * 180_000, lateMs: 180_000});
  });

  it('of one kind is healed without the others', async () => {
    const two = execFault(execFaultSchema.parse({faults: {cut: CUT, broken: {...CUT, heal: ['/bin/false']}}}), context);
    writeFileSync(there, '');
    expect(await two.active('east', AbortSignal.timeout(5000))).toMatchObject({value: ['cut', 'broken']});
    await two.heal(ctx(), 'east', 'cut');
    expect(existsSync(there)).toBe(false);
  });
});

describe('the part of the fleet file', () => {
  const problems = (part: object) => {
    const parsed = execFaultSchema.safeParse(part);
    return parsed.success ? [] : parsed.error.issues.map(({path, message}) => `${path.join('.')}: ${message}`);
  };

  it('lets only inject ask for what whoever heals later does not know', () => {
    expect(problems({faults: {cut: {...CUT, heal: ['x', '{args.ms}']}}})).toEqual([
      'faults.cut.heal.1: {args.ms} is no placeholder of this command; known: {region}, {kind}',
    ]);
    expect(problems({faults: {cut: {...CUT, inject: ['x', '{regoin}']}}})[0]).toContain('known: {region}, {kind}, {lease}, {args.NAME}');
  });

  it('takes secrets by reference only', () => {
    expect(problems({faults: {cut: CUT}, env: {TOKEN: 'plain'}})[0]).toContain('expected a secret by reference');
  });
});
