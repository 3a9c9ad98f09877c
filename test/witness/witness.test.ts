import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {measureWitness} from '../../src/lib/witness/measure.ts';
import {readBack} from '../../src/lib/witness/read-back.ts';
import {startWitnessThread} from '../../src/lib/witness/thread.ts';
import {startWitness, type Witness} from '../../src/lib/witness/witness.ts';
import {readWitnessLog} from '../../src/lib/witness/witness-log.ts';
import {accept, type Behaviour, startOrderServer} from './order-server.ts';

let dir: string;
let server: Awaited<ReturnType<typeof startOrderServer>>;
const realClock = systemClock();
const life = new AbortController();
const NO_LOG = {sessions: [], writes: [], stalls: [], torn: 0};
const common = {run: 'w', everyMs: 10, deadlineMs: 150, clock: realClock, signal: life.signal};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'witness-'));
  server = await startOrderServer(20_700);
});
afterEach(async () => {
  await server.close();
  await rm(dir, {recursive: true});
});

const start = (more: object = {}) => startWitness({...common, url: server.url, logFile: join(dir, 'w.ndjson'), ...more});

async function until(what: () => boolean, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!what()) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await realClock.sleep(2);
  }
}

const acked = (witness: Witness, more: number) => {
  const from = witness.snapshot().acknowledged;
  return until(() => witness.snapshot().acknowledged >= from + more);
};
const sent = (witness: Witness, more: number) => {
  const from = witness.snapshot().sent;
  return until(() => witness.snapshot().sent >= from + more);
};

describe('the witness', () => {
  it('acknowledges every write of a service that works, and reads them all back', async () => {
    const witness = await start();
    await acked(witness, 30);
    const log = await witness.stop();
    const measured = measureWitness(log, await readBack({url: server.url, run: 'w', clock: realClock, signal: life.signal}, log));
    expect(measured).toMatchObject({failed: 0, unknown: 0, lost: [], duplicated: [], interrupted: false, lossWindowMs: 0});
    expect(measured.acknowledged).toBe(server.rows.length);
  });

  it('keeps sending while writes hang, and gives each of them up as unknown', async () => {
    const witness = await start();
    await acked(witness, 5);
    server.state.behave = (_ref, _answer, store) => store();
    await sent(witness, 30);
    server.state.behave = accept;
    await acked(witness, 10);
    const log = await witness.stop();
    const measured = measureWitness(log, await readBack({url: server.url, run: 'w', clock: realClock, signal: life.signal}, log));
    expect(measured.unknown).toBeGreaterThanOrEqual(20);
    expect(measured.unknownButPresent).toHaveLength(measured.unknown);
    expect(measured.lost).toEqual([]);
    expect(measured.longestGapMs).toBeGreaterThan(200);
    // Writes that hang do not hold up those after them: the gap ends with the outage, not a deadline later.
    expect(measured.longestGapMs).toBeLessThan(1000);
  });

  it('knows a refused connection and a plain refusal as failed, anything else as unknown', async () => {
    const witness = await start();
    const outcomes = async (behave: Behaviour) => {
      const before = witness.snapshot();
      server.state.behave = behave;
      await sent(witness, 10);
      server.state.behave = accept;
      await acked(witness, 3);
      const after = witness.snapshot();
      return {failed: after.failed > before.failed, unknown: after.unknown > before.unknown};
    };
    const answers = (status: number, body: string): Behaviour => {
      return (_ref, answer) => answer.writeHead(status, {'content-type': 'application/json'}).end(body);
    };
    expect(await outcomes(answers(503, '{"error": {"code": "x"}}'))).toEqual({failed: true, unknown: false});
    expect(await outcomes(answers(503, 'no upstream'))).toEqual({failed: false, unknown: true});
    expect(await outcomes(answers(502, '{"error": 1}'))).toEqual({failed: false, unknown: true});
    expect(await outcomes(answers(504, '{"error": 1}'))).toEqual({failed: false, unknown: true});
    expect(await outcomes((_ref, answer) => answer.socket?.destroy())).toEqual({failed: false, unknown: true});
    const before = witness.snapshot();
    await server.close();
    await until(() => witness.snapshot().failed >= before.failed + 5);
    await server.reopen();
    await acked(witness, 5);
    await witness.stop();
  });

  it('finds what was acknowledged and lost, and what is there twice', async () => {
    const witness = await start();
    await acked(witness, 5);
    server.state.behave = (ref, answer) => accept(ref, answer, () => undefined);
    await acked(witness, 5);
    server.state.behave = (_ref, answer, store) => {
      store();
      accept(_ref, answer, store);
    };
    await acked(witness, 5);
    const log = await witness.stop();
    const measured = measureWitness(log, await readBack({url: server.url, run: 'w', clock: realClock, signal: life.signal}, log));
    expect(measured.lost?.length).toBeGreaterThanOrEqual(5);
    expect(measured.duplicated?.length).toBeGreaterThanOrEqual(5);
    expect(measured.lossWindowMs).toBeGreaterThan(0);
  });

  it('counts the writes that our own stall held up, and does not send them in a burst', async () => {
    const witness = await start();
    await acked(witness, 5);
    const before = witness.snapshot();
    const end = performance.now() + 200;
    while (performance.now() < end);
    await sent(witness, 1);
    const after = witness.snapshot();
    expect(after.late - before.late).toBeGreaterThanOrEqual(15);
    expect(after.sent - before.sent).toBeLessThan(10);
    await acked(witness, 5);
    const measured = measureWitness(await witness.stop(), null);
    expect(measured.stalls.longestMs).toBeGreaterThan(150);
    expect(measured.gapAtLeastMs).toBeLessThan(measured.longestGapMs ?? 0);
    expect(measured.lost).toBeNull();
  });

  it('carries on the log of a process that was killed, with new numbers and a hole', async () => {
    const first = await start();
    await acked(first, 10);
    await first.stop();
    const file = join(dir, 'w.ndjson');
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.includes('close'));
    await writeFile(file, `${lines.join('\n').trimEnd()}\n{"n":11,"re`);
    const second = await start();
    expect(second.snapshot().acknowledged).toBeGreaterThanOrEqual(10);
    await acked(second, 10);
    const log = await second.stop();
    expect(log.torn).toBe(1);
    expect(log.sessions.map((session) => session.closed)).toEqual([false, true]);
    expect(new Set(log.writes.map((write) => write.ref)).size).toBe(log.writes.length);
    const measured = measureWitness(log, null);
    expect(measured.interrupted).toBe(true);
  });

  it('does not use its numbers again when it is killed as its first write arrives, and knows the hole', async () => {
    const file = join(dir, 'w.ndjson');
    // Also when it happens once more to the one that carries it on.
    for (const _ of ['first', 'second']) {
      const killed = new AbortController();
      let atKill: string | null = null;
      server.state.behave = (...arrived) => {
        atKill ??= readFileSync(file, 'utf8');
        accept(...arrived);
      };
      const witness = await start({signal: killed.signal});
      await until(() => atKill !== null);
      killed.abort();
      await witness.stop();
      await writeFile(file, atKill ?? '');
    }
    const last = await start();
    await acked(last, 5);
    const log = await last.stop();
    const measured = measureWitness(log, await readBack({url: server.url, run: 'w', clock: realClock, signal: life.signal}, log));
    expect(measured).toMatchObject({duplicated: [], lost: [], interrupted: true});
    expect(log.sessions).toHaveLength(3);
    expect(Math.min(...log.writes.map(({n}) => n))).toBeGreaterThanOrEqual((2 * (150 + 5000)) / 10);
  });

  it('tells its gap and each acknowledgement while it runs, and stops twice with the same log', async () => {
    const witness = await start();
    const at: number[] = [];
    const off = witness.onAck((time) => at.push(time));
    await acked(witness, 5);
    off();
    expect(at.length).toBeGreaterThanOrEqual(5);
    expect(Math.abs((at[0] ?? 0) - Date.now())).toBeLessThan(5000);
    expect(witness.gapMs()).toBeLessThan(1000);
    expect(witness.snapshot().sinceLastAckMs).not.toBeNull();
    const [one, two] = [await witness.stop(), await witness.stop()];
    expect(two).toEqual(one);
  });

  it('ends at once when it is told to, with what was outstanding as unknown', async () => {
    const end = new AbortController();
    server.state.behave = () => undefined;
    const witness = await start({signal: end.signal, deadlineMs: 60_000});
    await sent(witness, 5);
    end.abort();
    const log = await witness.stop();
    expect(log.writes.length).toBe(witness.snapshot().sent);
    expect(log.writes.every((write) => write.outcome === 'unknown')).toBe(true);
  });

  it('says so when its log cannot be written or the writes cannot be read back', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(start({logFile: join(dir, 'file', 'w')})).rejects.toMatchObject({code: 'witness-log', exit: 73});
    expect((await readWitnessLog(join(dir, 'none'))).writes).toEqual([]);
    await server.close();
    const asked = readBack({url: server.url, run: 'w', clock: realClock, signal: life.signal, deadlineMs: 300}, NO_LOG);
    await expect(asked).rejects.toMatchObject({code: 'witness-read-back', exit: 69});
    await server.reopen();
  });

  it('reads back more than a page', async () => {
    for (let n = 0; n < 2500; n += 1) server.rows.push({id: n + 1, ref: `w-${n}`});
    server.rows.push({id: 2501, ref: 'other-1'});
    const counts = await readBack({url: server.url, run: 'w', clock: realClock, signal: life.signal}, NO_LOG);
    expect(counts.size).toBe(2500);
  });
});

describe('the witness in a thread of its own', () => {
  const begin = (more: object = {}) => startWitnessThread({...common, url: server.url, logFile: join(dir, 'w.ndjson'), ...more});

  it('does not take work of this process for a gap of the service', async () => {
    // The server is another process: this one stands still.
    const {port, end} = await serverOfItsOwn();
    const witness = await begin({url: `http://127.0.0.1:${port}/orders`, everyMs: 20});
    const acks: number[] = [];
    const off = witness.onAck((at) => acks.push(at));
    await acked(witness, 5);
    const busyUntil = performance.now() + 600;
    while (performance.now() < busyUntil);
    expect(witness.gapMs()).toBeLessThan(300);
    await acked(witness, 5);
    off();
    const {longestGapMs, late} = witness.snapshot();
    const log = await witness.stop();
    await end();
    expect(longestGapMs).toBeLessThan(300);
    expect(late).toBeLessThan(15);
    expect(acks.length).toBeGreaterThan(10);
    expect(log.writes.filter(({outcome}) => outcome === 'acknowledged').length).toBe(witness.snapshot().acknowledged);
    expect(log.sessions.at(-1)?.closed).toBe(true);
  });

  it('counts as the other one does, and fails where it cannot begin', async () => {
    const witness = await begin();
    await acked(witness, 10);
    expect(witness.snapshot()).toMatchObject({failed: 0, unknown: 0, sinceLastAckMs: expect.any(Number)});
    expect((await witness.stop()).writes.length).toBe(server.rows.length);
    await expect(begin({url: 'no url'})).rejects.toMatchObject({code: 'witness-failed'});
  });
});

async function serverOfItsOwn(): Promise<{port: number; end(): Promise<void>}> {
  const script = `require('node:http').createServer((q, a) => { q.resume(); q.on('end', () => a.writeHead(201).end('{}')); }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
  const child = spawn(process.execPath, ['-e', script], {stdio: ['ignore', 'pipe', 'inherit']});
  const [line] = await once(child.stdout, 'data');
  return {
    port: Number(String(line)),
    end: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
