import {existsSync, mkdirSync, rmdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it, onTestFinished} from 'vitest';
import {openFleet} from '../../src/lib/providers/open-fleet.ts';
import {fleet} from '../health/samples.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {tempDir} from '../state/temp-dir.ts';

async function world() {
  const dir = tempDir();
  const clock = fakeClock();
  const open = await openFleet({fleet: fleet([]), providers: [], clock, defaultStateDir: dir});
  onTestFinished(() => open.close());
  return {open, clock, file: join(dir, 'state.db')};
}

it('a state that could not be opened is opened anew half a minute later, once for all who ask, and closed with the fleet', async () => {
  const {open, clock, file} = await world();
  mkdirSync(file);
  await expect(open.state()).rejects.toThrow('State cannot be written');
  rmdirSync(file);
  clock.advance(29_999);
  await expect(open.state(), 'each try may take seconds').rejects.toThrow('State cannot be written');
  clock.advance(1);
  const [state, same] = await Promise.all([open.state(), open.state()]);
  expect(same).toBe(state);
  clock.advance(60_000);
  expect(await open.state(), 'what is open stays open').toBe(state);
  state.remember('eu', 'well');
  expect(state.recall('eu')).toBe('well');
  await open.close();
  expect(() => state.recall('eu')).toThrow('State could not be kept');
});

it('nothing is opened for who asks after the end', async () => {
  const {open, clock, file} = await world();
  mkdirSync(file);
  await expect(open.state()).rejects.toThrow('State cannot be written');
  await open.close();
  rmdirSync(file);
  clock.advance(60_000);
  await expect(open.state()).rejects.toThrow('State cannot be written');
});

it('nothing is opened after the end where nothing was before', async () => {
  const {open, file} = await world();
  await open.close();
  await expect(open.state()).rejects.toThrow('The state is closed');
  expect(existsSync(file)).toBe(false);
});
