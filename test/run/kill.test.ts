import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {runDocument} from '../../src/lib/run/document.ts';
import {resumeRun} from '../../src/lib/run/resume.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {tempDir} from '../state/temp-dir.ts';
import {fileWorld, shortFailover} from './children/file-world.ts';
import {simulated} from './world.ts';

// Each step writes three lines, between run-started and, at the end, the mark of always and run-ended.
const LINES = 1 + 3 * 3 + 1 + 3 + 1;
const lines = Array.from({length: LINES}, (_, i) => String(i + 1));
const effects = ['fence', 'promote', 'reroute', 'release'].flatMap((id) => [`before:${id}`, `after:${id}`]);

it.each([...lines, ...effects])('a runner that is killed (-9) at %s is resumed by another process to the same end', async (point) => {
  const dir = tempDir();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'children', 'killed-runner.ts'), dir, point], {stdio: 'inherit'});
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');

  const clock = systemClock();
  const state = await openState({dir, clock});
  try {
    const world = fileWorld(dir);
    const lease = state.lease('lab', 'r1');
    const setup = {runId: 'r1', state, lease, ...simulated(world), clock, signal: new AbortController().signal};
    if (point === String(LINES)) await expect(resumeRun(setup)).rejects.toThrow('nothing was done');
    else {
      expect(runDocument('r1', shortFailover, state.events('r1'), false).outcome).toBe('interrupted');
      expect(await resumeRun(setup)).toMatchObject({outcome: 'succeeded'});
    }
    expect(world.log()).toEqual(['fence=on', 'promote=on', 'reroute=on', 'release=on']);
    expect(runDocument('r1', shortFailover, state.events('r1'), false)).toMatchObject({outcome: 'succeeded'});
  } finally {
    state.close();
  }
});
