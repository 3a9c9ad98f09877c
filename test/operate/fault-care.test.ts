import {expect, it} from 'vitest';
import {faultCare} from '../../src/lib/operate/fault-care.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {tempDir} from '../state/temp-dir.ts';

it('finds in the journal what answered before a fault, and what could not be asked', async () => {
  const journaled = (...before: readonly Json[]) => {
    const events = before.map((each) => ({type: 'result', data: {result: {region: 'east', before: each}}}));
    const open = {stateDir: tempDir(), fleet: {name: 'lab', file: '/f', fault: null}, state: async () => ({events: () => events})};
    return faultCare(open as unknown as OpenFleet).journaled('run-1', 'east');
  };
  const whole = {answering: ['app'], silent: []};
  expect(await journaled(whole)).toEqual(whole);
  expect(await journaled(whole, {...whole, untold: ['db']})).toEqual({...whole, untold: ['db']});
  expect(await journaled(null)).toBeNull();
});
