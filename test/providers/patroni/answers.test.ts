import {describe, expect, it} from 'vitest';
import {clusterAnswer, configAnswer, statusAnswer} from '../../../src/lib/providers/patroni/answers.ts';
import {olderOf, overwritesLeaderKey} from '../../../src/lib/providers/patroni/version.ts';

describe("Patroni's answers", () => {
  it('reads a status of 3.0.2 and of 4.0', () => {
    const old = {state: 'running', role: 'master', patroni: {version: '3.0.2', scope: 'orders'}, dcs_last_seen: 1};
    expect(statusAnswer.parse(old)).toMatchObject({primary: true, version: '3.0.2', scope: 'orders', paused: false, unlocked: false});
    const recent = {
      state: 'running',
      role: 'primary',
      pause: true,
      pending_restart: true,
      patroni: {version: '4.0.4', scope: 'orders', name: 'us'},
    };
    expect(statusAnswer.parse(recent)).toMatchObject({primary: true, paused: true, pendingRestart: true});
  });

  it('reads what a Patroni without a server says', () => {
    expect(statusAnswer.parse({state: 'stopped', role: 'uninitialized', cluster_unlocked: true})).toMatchObject({
      ...{state: 'stopped', primary: false, unlocked: true, version: null, scope: null},
    });
  });

  it('never takes an unknown lag for none', () => {
    const members = [
      {name: 'eu', role: 'replica', state: 'running', lag: 'unknown'},
      {name: 'ap', role: 'replica', state: 'running'},
      {name: 'sa', role: 'replica', state: 'running', lag: 0},
    ];
    const view = clusterAnswer.parse({members});
    expect(view.members.map(({lag}) => lag)).toEqual([null, null, 0]);
    expect(view.leader).toBe(null);
  });

  it.each([
    [true, true],
    ['on', true],
    ['True', true],
    [1, true],
    ['quorum', true],
    [false, false],
    ['off', false],
    [undefined, false],
    [null, false],
  ])('reads synchronous_mode %s as %s', (value, expected) => {
    expect(configAnswer.parse({synchronous_mode: value}).synchronous).toBe(expected);
  });

  it('is strict only in synchronous mode', () => {
    expect(configAnswer.parse({synchronous_mode_strict: true}).strict).toBe(false);
    expect(configAnswer.parse({synchronous_mode: 'on', synchronous_mode_strict: 'yes'}).strict).toBe(true);
  });

  it("fills in Patroni's own defaults, and reads numbers that were written as text", () => {
    expect(configAnswer.parse({})).toMatchObject({ttl: 30, loopWait: 10, retryTimeout: 10, maximumLag: 1_048_576});
    expect(configAnswer.parse({ttl: '20', loop_wait: 1})).toMatchObject({ttl: 20, loopWait: 1});
    expect(configAnswer.safeParse({ttl: 'soon'}).success).toBe(false);
  });
});

describe('versions', () => {
  it.each([
    ['2.1.7', true],
    ['3.0.2', true],
    ['3.0.2-1.pgdg120+1', true],
    ['3.0', true],
    ['3.0.3', false],
    ['3.1.0', false],
    ['4.0.0b1', false],
    ['devel', true],
    [null, true],
  ])('%s may overwrite the leader key: %s', (version, expected) => {
    expect(overwritesLeaderKey(version)).toBe(expected);
  });

  it('takes one that it cannot read for the older', () => {
    expect([olderOf('3.0.10', '3.0.9'), olderOf('4.0.0', 'devel'), olderOf('3.1.0', '3.0.9')]).toEqual(['3.0.9', 'devel', '3.0.9']);
  });
});
