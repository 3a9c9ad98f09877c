import {describe, expect, it} from 'vitest';
import {healthFindings} from '../../src/lib/operate/health-findings.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import type {Viewer} from '../../src/lib/ports/vantage.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {realClock as clock} from '../health/real-clock.ts';
import {endpoint, fleet, REFUSED, region} from '../health/samples.ts';

const GOOD: ProbeResult = {ok: true, latencyMs: 2, code: 'ok', detail: 'fine'};
const MUTE: ProbeResult = {ok: null, latencyMs: null, code: 'vantage-silent', detail: 'the exporter does not answer'};
const says = (result: Partial<ProbeResult>) => ({check: async () => ({...GOOD, ...result})});
const viewer = (vantage: string, result: ProbeResult): Viewer => ({
  vantage,
  region: null,
  sees: 'status',
  whole: true,
  timeoutMs: 500,
  probe: says(result),
});
const part = {kind: 'blackbox', config: {}, path: []};

/** What doctor finds of a region with one endpoint, seen from here and from `others`. */
async function findings(own: Partial<ProbeResult>, others: readonly (readonly [string, ProbeResult])[], uplink?: Partial<ProbeResult>) {
  const vantages = others.map(([name]) => ({name, region: null, vantage: part}));
  const open = {
    fleet: fleet([region('eu')], {vantages}),
    clock,
    probes: [{endpoint: endpoint('app', 'eu'), probe: says(own), others: others.map(([name, result]) => viewer(name, result))}],
    uplinks: uplink === undefined ? [] : [{name: 'gateway', timeoutMs: 500, probe: says(uplink)}],
  } as unknown as OpenFleet;
  return (await healthFindings(open, new AbortController().signal)).map(({check, verdict, says: text}) => [check, verdict, text]);
}

describe('doctor on health', () => {
  it('passes what is well, and says how many votes decide', async () => {
    expect(
      await findings(
        {},
        [
          ['ap', GOOD],
          ['sa', GOOD],
        ],
        {},
      ),
    ).toEqual([
      ['endpoint eu/app', 'pass', 'fine'],
      ['vantage ap', 'pass', 'it looks at 1 endpoint'],
      ['vantage sa', 'pass', 'it looks at 1 endpoint'],
      ['vantage points', 'pass', '3 votes, of which 2 decide'],
      ['uplink gateway', 'pass', 'fine'],
    ]);
    expect(await findings({}, [])).toEqual([['endpoint eu/app', 'pass', 'fine']]);
  });

  it('warns of a vantage point that cannot tell, and of votes that can be split evenly', async () => {
    expect((await findings({}, [['ap', MUTE]])).slice(1)).toEqual([
      ['vantage ap', 'warning', 'it looks at 1 endpoint and cannot tell of 1: the exporter does not answer'],
      ['vantage points', 'warning', "2 votes (this machine's included): where they are split evenly nothing is known"],
    ]);
  });

  it('warns of what is down or warns itself, and of an uplink that does not answer', async () => {
    expect((await findings(REFUSED, [], REFUSED)).map(([check, verdict]) => [check, verdict])).toEqual([
      ['endpoint eu/app', 'unknown'],
      ['uplink gateway', 'warning'],
    ]);
    expect((await findings(REFUSED, []))[0]).toMatchObject(['endpoint eu/app', 'warning', expect.stringContaining('refused')]);
    const warned = await findings({warning: {code: 'certificate-expires', says: 'it expires in 3 days'}}, []);
    expect(warned[0]).toEqual(['endpoint eu/app', 'warning', 'it expires in 3 days']);
  });
});
