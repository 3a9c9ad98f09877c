import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, get, type RequestListener, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import type {HealthDocument} from '../../src/lib/health/document.ts';
import {BIN, documentOf, type Ended, expectSchema, personalEnv, regionctl, shown} from '../cli/program.ts';
import {type Blackbox, noBlackbox, startBlackbox} from '../servers/blackbox.ts';

const PROMTOOL = '/usr/bin/promtool';
const noPromtool = existsSync(PROMTOOL) ? null : PROMTOOL;

/** Who cannot reach a service now: whoever goes straight to it (we), whoever goes through the proxy (the exporters), or nobody is answered. */
type Cut = 'nobody' | 'us' | 'exporters' | 'silent';

/** A web service with an address of its own for us; exporters reach it by another way. */
type Service = {readonly port: number; cut(from: Cut): Promise<void>; kill(): Promise<void>; start(): Promise<void>};

const listening = (server: Server, port = 0): Promise<number> =>
  new Promise((done) => server.listen(port, '127.0.0.1', () => done((server.address() as AddressInfo).port)));

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

/** What the exporters' proxy may reach, by the port that we know. */
const ways = new Map<number, number>();

async function startService(): Promise<Service> {
  let from: Cut = 'nobody';
  const answer: RequestListener = (_, response) => (from === 'silent' ? undefined : response.end('fine'));
  let [straight, behind] = [createServer(answer), createServer(answer)];
  let port = await listening(straight);
  ways.set(port, await listening(behind));
  const cut = async (next: Cut): Promise<void> => {
    if (next === 'us') await closed(straight);
    if (from === 'us' && next !== 'us') {
      straight = createServer(answer);
      await listening(straight, port);
    }
    if (next === 'exporters') ways.delete(port);
    else ways.set(port, (behind.address() as AddressInfo).port);
    from = next;
  };
  return {
    port,
    cut: (next) => (next === from ? Promise.resolve() : cut(next)),
    kill: async () => {
      await Promise.all([straight, behind].filter((server) => server.listening).map(closed));
      ways.delete(port);
    },
    start: async () => {
      [straight, behind] = [createServer(answer), createServer(answer)];
      port = await listening(straight, port);
      ways.set(port, await listening(behind));
    },
  };
}

/** An HTTP proxy that reaches the services by its own way, and drops what it cannot reach. */
function startProxy(): Server {
  return createServer((request, response) => {
    const to = ways.get(Number(new URL(request.url ?? '').port));
    if (to === undefined) {
      request.socket.destroy();
      return;
    }
    const onward = get({host: '127.0.0.1', port: to, agent: false}, (answered) => {
      response.writeHead(answered.statusCode ?? 502);
      answered.pipe(response);
    });
    onward.on('error', () => request.socket.destroy());
  });
}

describe.skipIf(noBlackbox !== null)(`three vantage points${noBlackbox === null ? '' : ` (skipped: no ${noBlackbox})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-vantages-'));
  const fleet = join(dir, 'regionctl.yaml');
  const exporters: Blackbox[] = [];
  const services: Record<'us' | 'eu', Service[]> = {us: [], eu: []};
  const watching: ChildProcess[] = [];
  let proxy: Server;

  beforeAll(async () => {
    proxy = startProxy();
    const way = `http://127.0.0.1:${await listening(proxy)}`;
    for (let each = 0; each < 2; each += 1) exporters.push(await startBlackbox({proxy: way}));
    for (const region of ['us', 'eu'] as const) for (let each = 0; each < 2; each += 1) services[region].push(await startService());
    const region = (name: 'us' | 'eu') =>
      `  ${name}: {jurisdiction: ${name.toUpperCase()}, endpoints: {${services[name]
        .map(({port}, index) => `app${index}: {probe: http, url: "http://127.0.0.1:${port}/", critical: true, timeout: 400ms}`)
        .join(', ')}}}\n`;
    const [ap, sa] = exporters.map(({url}) => url);
    writeFileSync(
      fleet,
      `version: 1\nfleet: shop\nregions:\n${region('us')}${region('eu')}vantages:\n  from-ap: {kind: blackbox, url: "${ap}"}
  from-sa: {kind: blackbox, url: "${sa}"}\nstate: {dir: state}\n`,
    );
  });
  afterEach(async () => {
    for (const child of watching.splice(0)) child.kill('SIGKILL');
    for (const service of [...services.us, ...services.eu]) await service.cut('nobody');
    for (const exporter of exporters) exporter.thaw();
  });
  afterAll(async () => {
    await Promise.all([
      ...exporters.map((exporter) => exporter.end()),
      ...[...services.us, ...services.eu].map((service) => service.kill()),
    ]);
    await closed(proxy);
    rmSync(dir, {recursive: true, force: true});
  });

  const run = (...args: readonly string[]): Promise<Ended> => regionctl([...args, '--fleet', fleet], {cwd: dir, env: {XDG_DATA_HOME: dir}});
  const check = async (): Promise<HealthDocument & {status: number | null}> => {
    const result = await run('health', 'check', '--json');
    const document = documentOf(result);
    expectSchema('health-check', document, shown(result));
    return {...(document as unknown as HealthDocument), status: result.status};
  };
  const standing = ({regions}: HealthDocument) =>
    regions.map(({region, verdict, code, agree, asked}) => [region, verdict, code, agree, asked]);

  it('agree on what is well', async () => {
    const document = await check();
    expect(document.status).toBe(0);
    expect(standing(document)).toEqual([
      ['us', 'healthy', 'ok', 3, 3],
      ['eu', 'healthy', 'ok', 3, 3],
    ]);
    expect(document.regions[0]?.endpoints[0]?.vantages.map(({vantage, ok}) => [vantage, ok])).toEqual([
      ['here', true],
      ['from-ap', true],
      ['from-sa', true],
    ]);
  });

  it('an asymmetric partition is called cut off from here, and a partition of the others is none of ours', async () => {
    for (const service of services.eu) await service.cut('us');
    const cut = await check();
    expect(cut.status).toBe(3);
    expect(standing(cut)).toEqual([
      ['us', 'healthy', 'ok', 3, 3],
      ['eu', 'unknown', 'cut-off', 2, 3],
    ]);
    expect(cut.reason).toContain('cut off from here: 2 of 3 vantage points reach it, we do not');
    for (const service of services.eu) await service.cut('exporters');
    const others = await check();
    expect(standing(others)[1]).toEqual(['eu', 'unhealthy', 'unreachable', 2, 3]);
    expect(others.regions[1]?.reason).toContain('2 of 3 vantage points find it down');
  });

  it('only one endpoint that we do not reach leaves the region well, and is named', async () => {
    await (services.eu[0] as Service).cut('us');
    const document = await check();
    expect(document.regions[1]).toMatchObject({verdict: 'recovering', reason: expect.stringContaining('only we do not reach app0')});
    expect((await check()).regions[1]).toMatchObject({verdict: 'healthy'});
  });

  it('one that is killed or frozen has no say; when none of them answers nothing is known', async () => {
    const [ap, sa] = exporters as [Blackbox, Blackbox];
    ap.freeze();
    const one = await check();
    expect(standing(one)).toMatchObject([
      ['us', 'healthy', 'ok', 2, 3],
      ['eu', 'healthy', 'ok', 2, 3],
    ]);
    await sa.kill();
    const none = await check();
    expect(standing(none).map(([, verdict, code]) => [verdict, code])).toEqual([
      ['unknown', 'no-quorum'],
      ['unknown', 'no-quorum'],
    ]);
    ap.thaw();
    await sa.start();
  });

  it('health matrix shows who sees what, and a failover asks for their majority', async () => {
    for (const service of services.eu) await service.cut('us');
    const result = await run('health', 'matrix');
    expect(result.status, shown(result)).toBe(3);
    expect(result.stdout).toMatch(/^endpoint +verdict +here +from-ap +from-sa$/m);
    expect(result.stdout).toMatch(/^eu\/app0 +unknown +refused +ok \d+ ms +ok \d+ ms$/m);
    const document = documentOf(await run('health', 'matrix', '--json'));
    expectSchema('health-matrix', document);
  });

  it('a killed endpoint is found within 3 s of watching, by all, and its return as well; history keeps both', async () => {
    const lines: Record<string, unknown>[] = [];
    const child = spawn(BIN, ['health', 'watch', '--format', 'ndjson', '--interval', '500ms', '--fleet', fleet], {
      cwd: dir,
      env: personalEnv({XDG_DATA_HOME: dir}),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    watching.push(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((each) => each !== '')) lines.push({...(JSON.parse(line) as object), seen: Date.now()});
    });
    const seen = async (what: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
      for (let tries = 0; tries < 1500; tries += 1) {
        const found = lines.find(what);
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`not seen in ${JSON.stringify(lines)}`);
    };
    await seen(({type, region, verdict}) => type === 'region' && region === 'eu' && verdict === 'healthy');
    const [first] = services.eu as [Service];
    const killedAt = Date.now();
    await first.kill();
    const down = await seen(({to, region}) => region === 'eu' && to === 'unhealthy');
    expect((down.seen as number) - killedAt, JSON.stringify(down)).toBeLessThan(3000);
    expect(down.reason).toContain('3 of 3 vantage points agree');
    await first.start();
    await seen(({to, from, region}) => region === 'eu' && from === 'recovering' && to === 'healthy');
    child.kill('SIGINT');
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    const history = await run('health', 'history', '--region', 'eu', '--json');
    const document = documentOf(history) as {entries: {to: string}[]};
    expectSchema('health-history', document, shown(history));
    expect(document.entries.map(({to}) => to).slice(-3)).toEqual(['unhealthy', 'recovering', 'healthy']);
    const text = await run('health', 'history', '--region', 'eu');
    expect(text.stdout, shown(text)).toMatch(/healthy +unhealthy +\d/);
  });

  it.skipIf(noPromtool !== null)(
    `the Prometheus output passes promtool${noPromtool === null ? '' : ` (skipped: no ${noPromtool})`}`,
    async () => {
      for (const service of services.eu) await service.cut('silent');
      const result = await run('health', 'check', '--format', 'prometheus');
      expect(result.status).toBe(2);
      const checked = spawnSync(PROMTOOL, ['check', 'metrics'], {input: result.stdout, encoding: 'utf8'});
      expect({status: checked.status, says: `${checked.stdout}${checked.stderr}`}).toEqual({status: 0, says: ''});
    },
  );

  it('is a monitoring plugin as it is: one line, its state first, and the exit code of the state', async () => {
    const good = await run('health', 'check', '--region', 'us', '--format', 'nagios');
    expect(good, shown(good)).toMatchObject({status: 0, stderr: ''});
    expect(good.stdout).toMatch(/^REGIONCTL OK - [^\n|]+ \| 'us\/app0'=[\d.]+ms;;;0 'us\/app1'=[\d.]+ms;;;0\n$/);
    for (const service of services.us) await service.cut('silent');
    const bad = await run('health', 'check', '--region', 'us', '--format', 'nagios');
    expect(bad.status).toBe(2);
    expect(bad.stdout).toMatch(/^REGIONCTL CRITICAL - [^\n|]+ \| 'us\/app0'=U 'us\/app1'=U\n$/);
  });
});
