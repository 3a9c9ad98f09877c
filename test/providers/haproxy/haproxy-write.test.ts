import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {ask} from '../../../src/lib/providers/haproxy/runtime-api.ts';
import {deadPort} from '../listener.ts';
import {ALL, at, ctx, failed, live, router, runtime} from './route-under-test.ts';

describe('writing', () => {
  it('reads back every whole weight as it was written', async () => {
    const api = await runtime();
    const route = router([api.port]);
    for (let weight = 0; weight <= 100; weight += 1) {
      await route.write(ctx(), {us: weight, eu: 100 - weight});
      expect(await route.read(live())).toEqual({us: weight, eu: 100 - weight});
    }
  });

  it('holds traffic first, and never opens a server with a weight that it had before', async () => {
    const api = await runtime();
    await router([api.port]).write(ctx(), {eu: 30, us: 0});
    expect(api.orders).toEqual([
      'set server be/us1 state maint',
      'set server be/us1 weight 0',
      'set server be/us2 state maint',
      'set server be/us2 weight 0',
      'set server be/eu1 weight 30',
      'set server be/eu1 state ready',
    ]);
    expect(api.mostPerConnection()).toBe(1);
  });

  it('leaves regions alone that it is not told of', async () => {
    const api = await runtime({...ALL, 'be/us1': {weight: 7}, 'be/us2': {weight: 9}});
    await router([api.port]).write(ctx(), {eu: 0});
    expect([...api.servers.values()].map(({weight}) => weight)).toEqual([7, 9, 0]);
  });

  it('takes whole numbers only', async () => {
    const api = await runtime();
    expect(await failed(router([api.port]).write(ctx(), {us: 12.5}))).toMatchObject({
      ...{code: 'usage', exit: 64},
      message: 'the weight of us in front-door must be a whole number from 0 to 100, not 12.5',
    });
  });

  it('goes to every instance, and to none when one does not answer', async () => {
    const [one, two, dead] = [await runtime(), await runtime(), await deadPort()];
    await router([one.port, two.port]).write(ctx(), {us: 0, eu: 60});
    for (const api of [one, two]) expect([...api.servers.values()].map(({weight}) => weight)).toEqual([0, 0, 60]);
    const before = [one.orders.length, two.orders.length];
    expect(await failed(router([one.port, two.port, dead]).write(ctx(), {us: 100, eu: 0}))).toMatchObject({
      code: 'router-unreachable',
      exit: 69,
    });
    expect([one.orders.length, two.orders.length]).toEqual(before);
  });

  it('fails with what HAProxy says, and says what to do about it', async () => {
    const api = await runtime(ALL, (command) => (command.includes('weight 40') ? 'Permission denied\n\n' : undefined));
    const denied = await failed(router([api.port]).write(ctx(), {eu: 40}));
    expect(denied).toMatchObject({
      ...{code: 'haproxy-refused', exit: 69},
      message: `HAProxy at 127.0.0.1:${api.port} says to "set server be/eu1 weight 40": Permission denied`,
    });
    expect(denied.suggestions?.join()).toContain('level admin');
    api.script = (command) =>
      command.includes('weight 40') ? "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.\n\n" : undefined;
    expect((await failed(router([api.port]).write(ctx(), {eu: 40}))).suggestions?.join()).toContain('roundrobin');
  });

  it.each([
    ['the weight', 'weight', {us: 20}, 'be/us1 has 100, wanted 20; be/us2 has 100, wanted 20'],
    ['the maintenance', 'state maint', {us: 0}, 'be/us1 has 0, wanted 0; be/us2 has 0, wanted 0'],
  ])('does not believe a silent yes: %s was not taken', async (_, ignored, weights, says) => {
    const api = await runtime(ALL, (command) => (command.startsWith('set') && command.includes(ignored) ? '\n' : undefined));
    expect(await failed(router([api.port]).write(ctx(), weights))).toMatchObject({
      ...{code: 'weights-not-taken', exit: 69},
      message: `HAProxy at 127.0.0.1:${api.port} did not take the weights: ${says}`,
    });
  });

  it('says so when a server is held back by what it depends on', async () => {
    const api = await runtime({...ALL, 'be/eu1': {admin: 0x20}});
    const error = await failed(router([api.port]).write(ctx(), {eu: 50}));
    expect(error.message).toContain('be/eu1 has 50 held back by what it depends on, wanted 50');
  });

  it('ends at the deadline of the step, and when it is cancelled', async () => {
    const api = await runtime(ALL, (command) => (command.includes('maint') ? 'hang' : undefined));
    const late = await failed(router([api.port]).write(ctx(live(), 400), {us: 0}));
    expect(late).toMatchObject({code: 'router-unreachable', exit: 69, message: expect.stringMatching(/no answer within \d+ ms/)});
    const cancel = new AbortController();
    const cancelled = failed(router([api.port]).write(ctx(cancel.signal), {us: 0}));
    setTimeout(() => cancel.abort(new Error('the run is over')), 50);
    expect(await cancelled).toMatchObject({message: 'the run is over'});
  });
});

describe('the state file', () => {
  function folder(): string {
    const dir = mkdtempSync(join(tmpdir(), 'regionctl-test-'));
    onTestFinished(() => rmSync(dir, {recursive: true, force: true}));
    return dir;
  }

  it('holds what HAProxy says after each change, and nothing else is left', async () => {
    const [api, dir] = [await runtime(), folder()];
    const route = router([api.port], {}, join(dir, 'state'));
    for (const eu of [0, 70]) {
      await route.write(ctx(), {eu});
      expect(readFileSync(join(dir, 'state'), 'utf8')).toBe(
        await ask(at(api.port), 'show servers state', {deadlineMs: 1000, signal: live()}),
      );
    }
    expect(readFileSync(join(dir, 'state'), 'utf8')).toMatch(
      /^1\n# be_id .*\n(.* us1 .* 100 100 .*\n)(.* us2 .*\n)(.* eu1 127\.0\.0\.1 2 0 70 100 .*\n)\n$/,
    );
    expect(readdirSync(dir)).toEqual(['state']);
  });

  it('that cannot be written is told before anything is changed', async () => {
    const api = await runtime();
    const file = join(folder(), 'not-there', 'state');
    expect(await failed(router([api.port], {}, file).write(ctx(), {eu: 0}))).toMatchObject({
      ...{code: 'state-file', exit: 69},
      message: `the state of HAProxy cannot be kept in ${file} (ENOENT): a restart would lose the weights`,
    });
    expect([api.orders, existsSync(file)]).toEqual([[], false]);
  });
});

describe('cutting', () => {
  it('ends the sessions of every server of the region at every instance, and counts them', async () => {
    const servers = {'be/us1': {sessions: 3}, 'be/us2': {sessions: 4}, 'be/eu1': {sessions: 50}};
    const [one, two] = [await runtime(servers), await runtime(servers)];
    expect(await router([one.port, two.port]).cut(ctx(), 'us')).toBe(14);
    for (const api of [one, two]) {
      expect(api.orders).toEqual(['shutdown sessions server be/us1', 'shutdown sessions server be/us2']);
      expect(api.servers.get('be/eu1')?.sessions).toBe(50);
    }
  });

  it('waits until none is left where no new ones can come', async () => {
    const api = await runtime({...ALL, 'be/eu1': {sessions: 2, admin: 1}});
    let asked = 0;
    api.script = (command) => {
      if (command.startsWith('shutdown')) return '\n';
      if (command.startsWith('show stat')) asked += 1;
      if (asked === 4) api.servers.get('be/eu1')!.sessions = 0;
      return undefined;
    };
    expect(await router([api.port]).cut(ctx(), 'eu')).toBe(2);
    expect(asked).toBe(4);
  });

  it('fails when some stay', async () => {
    const api = await runtime({...ALL, 'be/eu1': {sessions: 2, admin: 1}}, (command) =>
      command.startsWith('shutdown') ? '\n' : undefined,
    );
    expect(await failed(router([api.port]).cut(ctx(live(), 300), 'eu'))).toMatchObject({
      ...{code: 'sessions-left', exit: 69},
      message: `HAProxy at 127.0.0.1:${api.port} still has 2 sessions to be/eu1 after they were shut down`,
    });
  });

  it('does not wait where new ones may come', async () => {
    const api = await runtime({...ALL, 'be/eu1': {sessions: 2}}, (command) => (command.startsWith('shutdown') ? '\n' : undefined));
    expect(await router([api.port]).cut(ctx(), 'eu')).toBe(2);
  });
});
