import {describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {execProbe} from '../../../src/lib/providers/exec/exec-probe.ts';

const scrub = (text: string): string => text.replaceAll('s3cret', '***');
const probe = (run: readonly string[], timeoutMs = 500) => execProbe({run, cwd: '/', timeoutMs, env: {WHO: 'app'}, scrub});
const shell = (script: string) => probe(['sh', '-c', script], 5000).check(new AbortController().signal);

probeContract({describe, it, expect}, async () => ({
  healthy: probe(['sh', '-c', 'echo "OK s3cret"'], 5000),
  refusing: probe(['sh', '-c', 'echo DOWN; exit 2'], 5000),
  hanging: probe(['sleep', '60']),
  secrets: ['s3cret'],
}));

describe('exec probe', () => {
  it.each([
    ['echo "DISK OK - 40% used | /=40%;80;90"', {ok: true, code: 'ok', detail: 'DISK OK - 40% used', facts: {perfdata: '/=40%;80;90'}}],
    ['echo "DISK WARNING - 85%"; exit 1', {ok: true, warning: {code: 'plugin-warning', says: 'DISK WARNING - 85%'}}],
    ['echo "DISK CRITICAL - 95%"; echo more; exit 2', {ok: false, code: 'plugin-critical', detail: 'DISK CRITICAL - 95%'}],
    ['echo "no such disk"; exit 3', {ok: null, code: 'plugin-unknown', detail: 'no such disk'}],
    ['exit 7', {ok: null, code: 'plugin-unknown', detail: 'sh ended with exit code 7; it printed nothing'}],
    ['kill -9 $$', {ok: null, code: 'probe-failed'}],
    ['echo $WHO', {ok: true, detail: 'app'}],
    ['echo "locale: bad" >&2; echo "DISK OK | a=1"; yes x | head -c 100000', {ok: true, detail: 'DISK OK', facts: {perfdata: 'a=1'}}],
    ['echo "only here" >&2; exit 2', {ok: false, detail: 'only here'}],
  ])('reads a plugin that does %j', async (script, expected) => {
    expect(await shell(script)).toMatchObject(expected);
  });

  it('is unknown, not failed, when there is no such program', async () => {
    const result = await probe(['/nowhere/plugin']).check(new AbortController().signal);
    expect(result).toMatchObject({
      ok: null,
      code: 'probe-failed',
      detail: '/nowhere/plugin could not be started (ENOENT); it printed nothing'.replace('; it printed nothing', ''),
    });
  });
});
