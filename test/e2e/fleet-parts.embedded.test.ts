import {readFileSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Notice} from '../../src/lib/ports/notifier.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {LabSession} from './lab-session.ts';

// What the fleet file adds to a move: who is told, what must hold afterwards, what makes a warm region ready.
const lab = new LabSession();
const told: Notice[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      told.push(JSON.parse(body) as Notice);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await lab.up();
});
afterAll(async () => {
  server.close();
  await lab.remove();
});

function variant(name: string, parts: string, change: (text: string) => string = (text) => text): string {
  const file = join(lab.dir, `${name}.yaml`);
  writeFileSync(file, `${change(readFileSync(lab.fleetFile, 'utf8'))}\n${parts}\n`);
  return file;
}
const hook = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const run = (code: number, fleet: string, ...args: string[]) => lab.json<RunDocument>(code, [...args, '--yes', '--fleet', fleet]);
const step = (document: RunDocument, id: string) => document.steps.find((each) => each.id === id);

describe('notifiers', () => {
  it('hear of the start, each gate and the result; one that cannot be reached is a note and holds nothing up', async () => {
    const log = join(lab.parent, 'told.log');
    const fleet = variant(
      'told',
      `notify:
  chat: {kind: webhook, url: "${hook()}"}
  page: {kind: exec, on: [result], run: [sh, -c, "cat >> ${log}"]}
  gone: {kind: webhook, on: [start], url: "http://127.0.0.1:9/"}`,
    );
    const document = await run(0, fleet, 'switchover', 'run', '--to', 'eu-west');
    expect(told.map(({kind}) => kind).filter((kind, index, all) => all.indexOf(kind) === index)).toEqual(['start', 'gate', 'result']);
    expect(told.filter(({kind}) => kind === 'gate')).toHaveLength(document.gates.length);
    expect(told.at(-1)).toMatchObject({
      kind: 'result',
      fleet: 'lab',
      runId: document.runId,
      run: {kind: 'switchover', from: 'us-east', to: 'eu-west'},
      says: 'switchover from us-east to eu-west succeeded: every step is done',
    });
    expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({kind: 'result', runId: document.runId});
    const shown = await lab.json<RunDocument>(0, ['runs', 'show', 'last', '--fleet', fleet]);
    expect(shown.notes).toEqual([expect.stringMatching(/^gone was not told: /)]);
  });
});

describe('checks', () => {
  const count = 'select count(*) from orders';

  it('hold by SQL on the new primary and through the front door, or the run has failed; what they ask cannot write', async () => {
    const {frontDoor} = await lab.status();
    const status = (await fetch(`${frontDoor}/orders`)).status;
    const shop = `checks:\n  shop: {http: "${frontDoor}/orders", status: ${status}}`;
    const books = `  books: {equal: [{store: orders, sql: "${count}"}, {store: orders, sql: "select count(distinct ref) from orders"}]}`;
    const writes = `  writes: {equal: [{value: 1}, {store: orders, sql: "insert into orders (ref, item, quantity, region) values ('x', 'x', 1, 'x') returning 1"}]}`;
    const good = await run(0, variant('good', `${shop}\n${books}`), 'switchover', 'run', '--to', 'us-east');
    expect(step(good, 'verify-check-shop')).toMatchObject({status: 'done', detail: expect.stringContaining(`answered ${status}`)});
    expect(step(good, 'verify-check-books')?.detail).toMatch(/^books: \d+ equals \d+$/);

    const wrong = variant('wrong', `${shop}\n${writes}`);
    const bad = await run(2, wrong, 'switchover', 'run', '--to', 'eu-west');
    expect(bad).toMatchObject({
      outcome: 'failed',
      code: 'check-failed',
      reason: expect.stringMatching(/refuses the query: .*read-only transaction.*Go on with/),
    });
    // The move stands: it is finished by whoever mends the check. Until then the region that was left is closed and stopped.
    expect(await lab.sql('eu-west', 'select pg_is_in_recovery() as recovering')).toEqual([{recovering: false}]);
    const refused = await lab.json<{error: {code: string}}>(77, ['switchover', 'run', '--to', 'us-east', '--yes', '--fleet', wrong]);
    expect(refused.error.code).toBe('gate-refused');
    await run(0, lab.fleetFile, 'failback', 'run', '--to', 'us-east');
  });
});

describe('a warm region', () => {
  it('is made ready by its hook before anything is held up; a hook that proves nothing stops the run with nothing done', async () => {
    const warm = (text: string) => text.replace(/( {2}eu-west:\n(?: {4}.*\n)*? {4}tier: )hot/, '$1warm\n    scaleUp: scale');
    const ready = join(lab.parent, 'ready');
    const hooks = (program: string) => `hooks:\n  scale: {run: [sh, -c, "${program}"], verify: [test, -e, "${ready}"], timeout: 3s}`;
    const never = await run(2, variant('never', hooks('true'), warm), 'switchover', 'run', '--to', 'eu-west');
    expect(never).toMatchObject({outcome: 'undone', reason: expect.stringContaining('warm-up-eu-west')});
    expect(step(never, 'drain-front-door')?.status).toBe('pending');
    const document = await run(
      0,
      variant('warm', hooks(`echo $REGIONCTL_REGION > ${ready}`), warm),
      'switchover',
      'run',
      '--to',
      'eu-west',
    );
    expect(readFileSync(ready, 'utf8')).toBe('eu-west\n');
    const ids = document.steps.map(({id}) => id);
    expect(ids.indexOf('warm-up-eu-west')).toBeLessThan(ids.indexOf('drain-front-door'));
  });
});
