import {chmodSync, mkdirSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {faultLedger, newFaultId} from '../../src/lib/drill/fault-ledger.ts';
import {tempDir} from '../state/temp-dir.ts';
import {entryWith} from './faults.ts';

it('keeps what it is given until it is removed, for this user only, and leaves no other file', () => {
  const ledger = faultLedger(join(tempDir(), 'state'));
  expect(ledger.list('lab')).toEqual({entries: [], broken: []});
  expect(ledger.read('f1')).toBeNull();
  const entry = entryWith({before: {answering: ['app'], silent: []}, reaper: {pid: 99, start: '7'}});
  ledger.write(entry);
  ledger.write({...entry, injected: false});
  expect(ledger.read('f1')).toEqual({...entry, injected: false});
  expect(readdirSync(ledger.dir)).toEqual(['f1.json']);
  expect(statSync(ledger.fileOf('f1')).mode & 0o777).toBe(0o600);
  ledger.remove('f1');
  ledger.remove('f1');
  expect(readdirSync(ledger.dir)).toEqual([]);
});

it('lists the faults of one fleet, the oldest first, and names what it cannot read', () => {
  const ledger = faultLedger(tempDir());
  ledger.write(entryWith({id: 'b', since: 2}));
  ledger.write(entryWith({id: 'a', since: 3}));
  ledger.write(entryWith({id: 'c', since: 1}));
  ledger.write(entryWith({id: 'd', fleet: 'other'}));
  writeFileSync(join(ledger.dir, 'torn.json'), '{"v":1');
  writeFileSync(join(ledger.dir, 'wrong.json'), JSON.stringify({...entryWith({id: 'wrong'}), by: {pid: 1, start: '1'}}));
  writeFileSync(join(ledger.dir, 'reaper.log'), 'a line');
  mkdirSync(join(ledger.dir, 'signals'));
  const {entries, broken} = ledger.list('lab');
  expect(entries.map(({id}) => id)).toEqual(['c', 'b', 'a']);
  expect(broken.map(({file}) => file)).toEqual([join(ledger.dir, 'torn.json'), join(ledger.dir, 'wrong.json')]);
  expect(broken[1]?.why).toContain('by.pid');
  expect(() => ledger.read('torn')).toThrow(expect.objectContaining({exit: 73}));
});

it('obeys no record whose id is not the name of its file: it is reported, and neither it nor what it names is touched', () => {
  const ledger = faultLedger(tempDir());
  ledger.write(entryWith({id: 'good'}));
  const precious = join(ledger.dir, '..', 'precious.json');
  writeFileSync(precious, '{}');
  writeFileSync(join(ledger.dir, 'evil.json'), JSON.stringify(entryWith({id: '../precious'})));
  writeFileSync(join(ledger.dir, 'other.json'), JSON.stringify(entryWith({id: 'good'})));
  const {entries, broken} = ledger.list('lab');
  expect(entries.map(({id}) => id)).toEqual(['good']);
  expect(broken).toEqual([
    {file: join(ledger.dir, 'evil.json'), why: 'id: "../precious" is not the name of its file'},
    {file: join(ledger.dir, 'other.json'), why: 'id: "good" is not the name of its file'},
  ]);
  expect(() => ledger.read('evil')).toThrow(expect.objectContaining({exit: 73}));
  for (const id of ['../precious', '..', '', 'a/b', '.hidden'])
    expect(() => ledger.remove(id)).toThrow(expect.objectContaining({exit: 73}));
  expect(readdirSync(ledger.dir)).toEqual(['evil.json', 'good.json', 'other.json']);
  expect(readdirSync(join(ledger.dir, '..')).toSorted()).toEqual(['faults', 'precious.json']);
});

it('says 73 when nothing can be written', () => {
  const dir = tempDir();
  writeFileSync(join(dir, 'faults'), '');
  expect(() => faultLedger(dir).write(entryWith())).toThrow(expect.objectContaining({exit: 73}));
  if (process.getuid?.() === 0) return; // Root may write everywhere.
  const closed = tempDir();
  chmodSync(closed, 0o500);
  expect(() => faultLedger(closed).write(entryWith())).toThrow(expect.objectContaining({exit: 73}));
});

it('gives every fault a name of its own, which is a name of a file', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (runId, wall) => {
      const [one, other] = [newFaultId(runId, wall), newFaultId(runId, wall)];
      expect(one).not.toBe(other);
      expect(one).toMatch(/^[\w.-]{1,100}$/u);
      expect(one.startsWith('.')).toBe(false);
    }),
  );
});
