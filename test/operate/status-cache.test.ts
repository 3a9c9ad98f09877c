import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {textDigestOf} from '../../src/lib/fleet/find.ts';
import {scrubber} from '../../src/lib/fleet/scrub.ts';
import {cachedStatus, keepStatus} from '../../src/lib/operate/status-cache.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {AT, fleet as sample} from '../health/samples.ts';
import {status} from '../output/sample-status.ts';
import {fakeClock} from '../run/fake-clock.ts';

const TEXT = `version: 1\nfleet: lab\nregions: {us: {password: "\${env:NOT_SET_ANYWHERE}"}}\nstate: {dir: kept}\n`;
const SECRET = 'hunter2-hunter2';
let dir: string;
const file = () => join(dir, 'regionctl.yaml');
const db = () => join(dir, 'kept/state.db');

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regionctl-kept-'));
  writeFileSync(file(), TEXT);
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

/** Keeps something in the state of the fleet, and closes it. */
async function kept(what: (state: Awaited<ReturnType<typeof openState>>) => void = keep): Promise<void> {
  const state = await openState({dir: join(dir, 'kept'), clock: fakeClock()});
  what(state);
  state.close();
}

const {add, scrub} = scrubber();
add(SECRET);
const fleet = sample([], {textDigest: textDigestOf(TEXT), secrets: {reveal: async () => SECRET, scrub}});

function keep(state: Parameters<typeof keepStatus>[0], document = status): void {
  keepStatus(state, fleet, document);
}

const read = (passed = 1000) => cachedStatus({file: file(), defaultStateDir: join(dir, 'elsewhere'), now: AT + passed});

it('is as it was, with every age as of now, while nothing else of the fleet file is looked at', async () => {
  await kept();
  const {document, exit} = await read(20_000);
  expect(exit).toBe(2);
  expect(document).toMatchObject({cached: true, at: status.at, notes: status.notes, activeRun: status.activeRun});
  const [us, eu, ap] = document.regions;
  expect(us).toMatchObject({ageMs: 20_030, roles: [{ageMs: 20_025}], ageMsByRoute: {'front-door': 20_012}});
  expect(eu).toMatchObject({
    lagWorst: {ageMs: 20_014},
    loss: [{bytes: 16_384, ageMs: 20_020}],
    ready: [{ageMs: 20_000}],
    headroom: {ageMs: 40_000},
  });
  expect(ap, 'of what nobody knew').toMatchObject({
    ageMs: null,
    roles: [{ageMs: null}],
    ageMsByRoute: {'front-door': null},
    lagWorst: {ageMs: null},
  });
});

it('counts for a minute; from then on its exit code is that of unknown', async () => {
  await kept();
  expect((await read(60_000)).exit).toBe(2);
  expect((await read(60_001)).exit).toBe(3);
});

it('has no ages by a clock that was set back', async () => {
  await kept();
  const {document, exit} = await read(-5000);
  expect(exit).toBe(3);
  expect(document.notes[0]).toMatch(/^it is from a time that has not come yet/);
  expect(document.regions[0]).toMatchObject({ageMs: null, roles: [{ageMs: null}]});
});

it('tells that the fleet file has changed', async () => {
  await kept();
  writeFileSync(file(), `${TEXT}# later\n`);
  expect((await read()).document.notes).toEqual(['the fleet file has changed since', ...status.notes]);
});

it('holds no secret', async () => {
  await kept((state) => keep(state, {...status, notes: [`the server says: wrong password ${SECRET}`]}));
  expect((await read()).document.notes).toEqual(['the server says: wrong password •••']);
});

it.each<[string, (kept: {[key: string]: Json}) => Json, RegExp]>([
  ['of an older regionctl', ({document}) => ({version: 1, digest: 'd', document: document ?? null}), /of an older regionctl$/],
  ['of a later regionctl', (whole) => ({...whole, version: 99}), /of a later regionctl$/],
  ['changed by somebody', (whole) => ({...whole, document: {...(whole.document as object), verdict: 'healthy'}}), /is damaged$/],
  ['without its document', ({version}) => ({version: version ?? 0}), /is damaged$/],
  ['something else', () => 'what is this', /is damaged$/],
])('refuses a picture that is %s', async (_, change, says) => {
  await kept((state) => {
    keep(state);
    state.remember('status/lab', change(state.recall('status/lab') as {[key: string]: Json}));
  });
  await expect(read()).rejects.toMatchObject({code: 'not-cached', exit: 3, message: expect.stringMatching(says)});
});

it('is nothing where nothing is kept, and makes nothing', async () => {
  await expect(read()).rejects.toMatchObject({code: 'not-cached', exit: 3, message: 'no picture of the fleet lab is kept here'});
  await kept(() => undefined);
  await expect(read()).rejects.toMatchObject({exit: 3, message: 'no picture of the fleet lab is kept here'});
});

it.each<[string, () => void, RegExp]>([
  ['is no database', () => writeFileSync(db(), 'x'.repeat(5000)), /^the state cannot be read: The state file .*state\.db is damaged/],
  ['is a folder', () => mkdirSync(db()), /^the state cannot be read: .*state\.db is no file$/],
  ['is a link to itself', () => symlinkSync(db(), db()), /^the state cannot be read: .*state\.db cannot be opened: ELOOP/],
  ['is of another program', () => new DatabaseSync(db()).exec('CREATE TABLE theirs (id)'), /not a state file of regionctl/],
  [
    'is of a later regionctl',
    () => new DatabaseSync(db()).exec('PRAGMA application_id = 0x72676e63; PRAGMA user_version = 99'),
    /schema version 99/,
  ],
])('says so where the state %s', async (_, make, says) => {
  mkdirSync(join(dir, 'kept'));
  make();
  await expect(read()).rejects.toMatchObject({code: 'not-cached', exit: 3, message: expect.stringMatching(says)});
});

it('says so where the state is locked, after a second', async () => {
  await kept();
  const other = new DatabaseSync(db());
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE t (x)');
  const began = performance.now();
  await expect(read()).rejects.toMatchObject({
    exit: 3,
    message: expect.stringMatching(/^the state cannot be read: .* is locked by another process/),
  });
  expect(performance.now() - began).toBeLessThan(4000);
  other.close();
});

it('needs the name of the fleet and the place of the state, and says what is wrong with them', async () => {
  writeFileSync(file(), `fleet: lab\nstate: {dir: "\${env:NOT_SET_ANYWHERE}/x"}\n`);
  await expect(read()).rejects.toMatchObject({
    code: 'fleet-invalid',
    exit: 78,
    message: expect.stringMatching(/:2:14 state\.dir: the environment variable NOT_SET_ANYWHERE is not set$/),
  });
  writeFileSync(file(), 'version: 1\n');
  await expect(read()).rejects.toMatchObject({exit: 78, message: expect.stringMatching(/the fleet has no name$/)});
  writeFileSync(file(), 'fleet: [lab]\n');
  await expect(read()).rejects.toMatchObject({exit: 78, message: expect.stringMatching(/ fleet: expected a text$/)});
});
