import {spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {faultContract} from '../../../src/kit/testing.ts';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import {markOf, processRow} from '../../../src/lib/processes.ts';
import type {ProviderContext} from '../../../src/lib/providers/define.ts';
import {signalSchema} from '../../../src/lib/providers/signal/provider.ts';
import {signalFault} from '../../../src/lib/providers/signal/signal-fault.ts';
import {signalMarks} from '../../../src/lib/providers/signal/targets.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {leasedFault} from '../../drill/leased-fault.ts';
import {programs} from '../exec/programs.ts';
import {victim} from './victim.ts';

const box = programs();
const server = victim(box, 20_940);
const stateDir = join(box.dir, 'state');
const context: ProviderContext = {
  fleet: {name: 'lab', regions: [{name: 'east'}], routes: []} as unknown as Fleet,
  secrets: {reveal: async () => '', scrub: (text) => text},
  clock: systemClock(),
  baseDir: box.dir,
  stateDir,
};
const faultOf = (region: object = {}) =>
  signalFault(signalSchema.parse({regions: {east: {pidFiles: ['victim.pid'], start: server.start, ...region}}}), context);
const ctx = () => ({
  ...{runId: 'r', token: 't', signal: AbortSignal.timeout(60_000)},
  now: () => performance.now(),
  deadline: performance.now() + 60_000,
});
const order = (kind: string, leaseMs = 60_000) => ({kind, region: 'east', args: {}, leaseMs});
const active = async () => faultOf().active('east', AbortSignal.timeout(5000));

beforeAll(() => server.up());
afterAll(() => {
  server.end();
  box.remove();
});

describe.each(['freeze', 'kill'])('signal, by %s', (kind) => {
  faultContract({describe, it, expect}, async () => ({
    // Leases take their time: they are kept once, whatever the kind.
    fault: kind === 'freeze' ? leasedFault(faultOf(), stateDir) : faultOf(),
    again: () => faultOf(),
    ...{region: 'east', kind, args: {}, ctx},
    isActiveFromOutside: async () => !(await server.answers()),
  }));
});

describe('signals', () => {
  it('say how long a heal may take: a start, and as long again until every process runs', () => {
    expect(faultOf({timeout: '3m'}).healMs).toBe(365_000);
  });

  it('stop every process of the tree, and an injector that did not begin it ends it, also when the parent is gone', async () => {
    const [, child = 0] = await treePids();
    await faultOf().inject(ctx(), order('freeze'));
    expect([server.pid(), child].map((pid) => processRow(pid)?.state)).toEqual(['T', 'T']);
    process.kill(server.pid(), 'SIGKILL');
    expect(await active()).toMatchObject({known: true, value: ['freeze']});
    await faultOf().heal(ctx(), 'east');
    expect(processRow(child)?.state).toBe('S');
    process.kill(child, 'SIGKILL');
    expect(await active()).toMatchObject({known: true, value: []});
    await server.up();
  });

  it('never reach a process that has the pid now and did not have it then', async () => {
    const bystander = spawn('sleep', ['60'], {stdio: 'ignore'});
    const mark = markOf(bystander.pid ?? 0);
    expect(mark).not.toBeNull();
    expect(signalMarks([{pid: bystander.pid ?? 0, start: `${mark?.start}1`}], 'SIGSTOP')).toBe(0);
    expect(signalMarks([{pid: 1, start: processRow(1)?.start ?? ''}], 'SIGCONT')).toBe(0);
    expect(processRow(bystander.pid ?? 0)?.state).not.toBe('T');
    bystander.kill('SIGKILL');
  });

  it('never reach ourselves, nor what we run under', async () => {
    for (const pid of [process.pid, process.ppid]) {
      writeFileSync(join(box.dir, 'own.pid'), `${pid}\n`);
      await expect(faultOf({pidFiles: ['own.pid']}).inject(ctx(), order('freeze'))).rejects.toMatchObject({code: 'own-process', exit: 77});
    }
    writeFileSync(join(box.dir, 'own.pid'), '1\n');
    await expect(faultOf({pidFiles: ['own.pid']}).inject(ctx(), order('freeze'))).rejects.toMatchObject({code: 'no-process', exit: 77});
  });

  it('do nothing when what they touch cannot be written down', async () => {
    const file = join(box.dir, 'a-file');
    writeFileSync(file, '');
    const fault = signalFault(signalSchema.parse({regions: {east: {pidFiles: ['victim.pid']}}}), {...context, stateDir: file});
    await expect(fault.inject(ctx(), order('freeze'))).rejects.toMatchObject({exit: 73});
    expect(await server.answers()).toBe(true);
    expect(await fault.active('east', AbortSignal.timeout(1000))).toMatchObject({known: false});
  });

  it('kill only what can be started again', async () => {
    expect(faultOf({start: null}).kinds).toEqual(['freeze']);
    await expect(faultOf({start: null}).inject(ctx(), order('kill'))).rejects.toMatchObject({code: 'usage'});
    const broken = faultOf({start: box.sh('broken', 'echo nobody starts here; exit 3')});
    await faultOf().inject(ctx(), order('kill'));
    await expect(broken.heal(ctx(), 'east')).rejects.toMatchObject({
      code: 'not-started',
      message: expect.stringContaining('nobody starts here'),
    });
    expect(await active()).toMatchObject({known: true, value: ['kill']});
    await faultOf().heal(ctx(), 'east');
    expect(await active()).toMatchObject({known: true, value: []});
    expect(await server.becomesWell()).toBe(true);
  });

  it('say unknown when a pid file cannot be read', async () => {
    mkdirSync(join(box.dir, 'folder.pid'), {recursive: true});
    expect(await faultOf({pidFiles: ['folder.pid']}).active('east', AbortSignal.timeout(1000))).toMatchObject({
      known: false,
      code: 'not-read',
    });
  });
});

async function treePids(): Promise<number[]> {
  const pid = server.pid();
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return [pid, ...children];
}
