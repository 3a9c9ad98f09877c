import {appendFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Plan} from '../../../src/lib/plan/plan.ts';
import {fact, planOf, step, type World} from '../world.ts';

/** A world that outlives processes: one file for each switch, and one log of every effect. */
export function fileWorld(dir: string): World & {log(): readonly string[]} {
  const file = (name: string) => join(dir, `switch-${name}`);
  const log = join(dir, 'log');
  return {
    get: (name) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : 'off'),
    set: (name, value) => {
      appendFileSync(log, `${name}=${value}\n`);
      writeFileSync(file(name), value);
    },
    log: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

/** A short failover: fence, promote (the point of no return), reroute, and a release that always runs. */
export const shortFailover: Plan = planOf(
  [
    step('fence', {phase: 'fence'}),
    step('promote', {after: ['fence'], requires: [fact('fence', 'on')], pivot: true}),
    step('reroute', {after: ['promote'], phase: 'reroute', requires: [fact('promote', 'on')]}),
  ],
  {always: [step('release', {undo: null})]},
);
