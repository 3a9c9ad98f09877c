import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {notifierContract} from '../../../src/kit/testing.ts';
import {scrubber} from '../../../src/lib/fleet/scrub.ts';
import type {SecretVault} from '../../../src/lib/fleet/secrets.ts';
import type {Notice} from '../../../src/lib/ports/notifier.ts';
import {type ExecNotice, execNotifier} from '../../../src/lib/providers/exec/notifier.ts';
import {programs} from './programs.ts';

const SECRET = 'hunter2-hunter2';

/** Takes the notice from stdin, as one line of `arrived`. */
const TAKE = `import {appendFileSync, readFileSync} from 'node:fs';
  const notice = JSON.parse(readFileSync(0, 'utf8'));
  appendFileSync('arrived', JSON.stringify(notice) + '\\n');`;

function vault(): SecretVault {
  const {add, scrub} = scrubber();
  add(SECRET);
  return {reveal: async () => SECRET, scrub};
}

const notice: Notice = {
  ...{kind: 'result', fleet: 'shop', runId: 'run-1', run: {kind: 'failover', from: 'us-east', to: null}},
  ...{at: '2026-01-02T03:04:05.678Z', says: 'the run succeeded', detail: null},
};

notifierContract({describe, it, expect}, async () => {
  const box = programs();
  appendFileSync(join(box.dir, 'arrived'), '');
  const notifier = (run: readonly string[], timeoutMs = 15_000) => execNotifier({run, cwd: box.dir, timeoutMs, secrets: vault()});
  return {
    notifier: notifier(box.node('take', TAKE)),
    received: async () =>
      (box.file('arrived') ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
    refusing: notifier(box.node('refuse', `console.log('no: ${SECRET}'); process.exitCode = 1;`)),
    unreachable: notifier(['no-such-program-here']),
    hanging: notifier(box.node('hang', 'setInterval(() => {}, 1000);'), 500),
    secrets: [SECRET],
    close: async () => box.remove(),
  };
});

describe('the exec notifier', () => {
  const deliver = async (source: string, told: Notice, more: Partial<ExecNotice> = {}) => {
    const box = programs();
    try {
      const run = box.node('program', source, '$(touch pwned)');
      await execNotifier({run, cwd: box.dir, timeoutMs: 15_000, secrets: vault(), ...more}).deliver(told, new AbortController().signal);
      return {arrived: box.file('arrived'), pwned: box.file('pwned')};
    } finally {
      box.remove();
    }
  };

  it('tells run, origin and target in the environment, and expands nothing', async () => {
    const source = `import {writeFileSync} from 'node:fs';
      const {REGIONCTL_RUN_ID: run, REGIONCTL_FROM: from, REGIONCTL_TO: to = 'nowhere'} = process.env;
      writeFileSync('arrived', [run, from, to, process.argv[2]].join(' '));`;
    expect(await deliver(source, notice)).toEqual({arrived: 'run-1 us-east nowhere $(touch pwned)', pwned: null});
  });

  it('does not need the program to read what it is told', async () => {
    const long = {...notice, detail: 'x'.repeat(1_000_000)};
    await expect(deliver('process.exitCode = 0;', long)).resolves.toBeDefined();
  });

  it('never passes a secret on, and never tells one', async () => {
    const told = await deliver(TAKE, {...notice, says: `the password is ${SECRET}`});
    expect(JSON.parse(told.arrived ?? '')).toMatchObject({says: 'the password is •••'});
    await expect(deliver(`console.log('${SECRET}'); process.exitCode = 1;`, notice)).rejects.toMatchObject({
      ...{code: 'notice-failed', exit: 69},
      message: `${process.execPath} ended with exit code 1; its last line: •••`,
    });
  });
});
