import {createServer, type Server} from 'node:http';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import {lookOutside} from '../../src/lib/operate/outside.ts';
import type {Host} from '../../src/lib/ports/host.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {realClock as clock} from '../health/real-clock.ts';

const result = (ok: boolean | null, code: string): ProbeResult => ({ok, code, latencyMs: null, detail: code});
const RESULTS: Readonly<Record<string, ProbeResult>> = {
  well: result(true, 'ok'),
  'http-503': result(false, 'unexpected-status'),
  'no-login': result(false, 'auth-failed'),
  'wrong-role': result(false, 'wrong-role'),
  late: result(false, 'timeout'),
  shut: result(false, 'refused'),
  blind: result(null, 'secret-missing'),
};
const AT = {host: '10.0.0.1', port: 5432};

/** A fleet of one region, with these endpoints, and a route. `db` is at the address of the store's member. */
function fleetOf(names: readonly string[], {url = null as string | null, running = null as boolean | null} = {}) {
  const probes = names.map((name) => ({
    endpoint: {
      name,
      region: 'east',
      critical: true,
      timeoutMs: 500,
      slowMs: null,
      probe: {kind: 'x', config: name === 'db' ? AT : {}, path: []},
    },
    probe: {check: async () => RESULTS[name] ?? result(false, 'refused')},
    others: [],
  }));
  const member = {name: 'm1', region: 'east', site: null, config: {address: AT}, host: null};
  const host = {status: async () => ({running, detail: ''})} as unknown as Host;
  const fleet = {
    regions: [{name: 'east'}],
    routes: [{name: 'door', url}],
    stores: [{name: 'orders', members: [member]}],
  } as unknown as Fleet;
  const open: Pick<OpenFleet, 'fleet' | 'probes' | 'uplinks' | 'clock' | 'host'> = {
    fleet,
    probes,
    uplinks: [],
    clock,
    host: async () => host,
  };
  return open;
}
const live = () => AbortSignal.timeout(10_000);
const lookAt = async (open: ReturnType<typeof fleetOf>, place = 'east') => {
  const cell = await lookOutside(open, place, live());
  return cell.known ? cell.value : cell;
};

describe('the endpoints of a region', () => {
  it('answer with anything, and are silent with nothing', async () => {
    expect(await lookAt(fleetOf(Object.keys(RESULTS)))).toEqual({
      answering: ['well', 'http-503', 'no-login', 'wrong-role'],
      silent: ['late', 'shut'],
      ...{refused: ['shut'], stopped: [], untold: ['blind']},
    });
  });

  it('may be silent when the host of their database says that it is stopped', async () => {
    expect(await lookAt(fleetOf(['well', 'db'], {running: false}))).toMatchObject({silent: [], stopped: ['db']});
    for (const running of [true, null]) {
      expect(await lookAt(fleetOf(['well', 'db'], {running}))).toMatchObject({silent: ['db'], stopped: []});
    }
    expect(await lookAt(fleetOf(['late'], {running: false}))).toMatchObject({silent: ['late'], stopped: []});
  });

  it('are not known when there is no such place, or the look was cut short', async () => {
    expect(await lookAt(fleetOf([]), 'nowhere')).toMatchObject({known: false, code: 'unknown-place'});
    expect(await lookOutside(fleetOf(['well']), 'east', AbortSignal.abort())).toMatchObject({known: false, code: 'interrupted'});
  });
});

describe('the URL of a route', () => {
  const PORT = 20_950;
  let server: Server;
  beforeAll(async () => {
    server = createServer((_, answer) => answer.writeHead(503).end());
    await new Promise<void>((resolve) => server.listen(PORT, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it('answers with any status, and refuses where nobody listens', async () => {
    const url = (port: number) => `http://127.0.0.1:${port}/`;
    expect(await lookAt(fleetOf([], {url: url(PORT)}), 'door')).toMatchObject({answering: [url(PORT)], silent: []});
    expect(await lookAt(fleetOf([], {url: url(PORT + 1)}), 'door')).toMatchObject({silent: [url(PORT + 1)], refused: [url(PORT + 1)]});
    expect(await lookAt(fleetOf([]), 'door')).toMatchObject({answering: [], silent: []});
  });
});
