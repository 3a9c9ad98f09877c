import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {loadPrices, readPrices} from '../../src/lib/operate/load-prices.ts';

it('the example is a price file', async () => {
  const prices = await loadPrices('examples/prices.yaml');
  expect(prices).toMatchObject({currency: 'USD', instances: {'*': {onDemand: {amount: 0.2, asOf: Date.parse('2026-11-01')}}}});
});

it.each([
  ['', /p.yaml:1:1: the file is empty/],
  ['version: 1\ncurrency: dollars\ninstances: {}\n', /^p.yaml:2:11 currency: expected a currency code such as USD or EUR/],
  [
    'version: 1\ncurrency: USD\ninstances:\n  us: {onDemand: {perHour: -1, source: x, asOf: 2026-01-01}}\n',
    /^p.yaml:4:28 instances.us.onDemand.perHour: /,
  ],
  [
    'version: 1\ncurrency: USD\ninstances:\n  us: {onDemand: {perHour: 1, source: x, asOf: yesterday}}\n',
    /^p.yaml:4:48 instances.us.onDemand.asOf: expected a day/,
  ],
  ['version: 1\ncurrency: USD\ninstances:\n  us: {ondemand: 1}\n', /instances.us.ondemand: .*onDemand|instances.us.onDemand/],
  ['{a: [', /^p.yaml:1:\d+/],
])('a mistake has its file, line and field: %j', (text, message) => {
  try {
    readPrices(text, 'p.yaml');
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({code: 'prices-invalid', exit: 78});
    expect((error as Error).message).toMatch(message);
  }
});

it('a file that is not there, a folder and one that is no text are told', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'prices-'));
  try {
    await expect(loadPrices(join(dir, 'none.yaml'))).rejects.toMatchObject({exit: 64, message: expect.stringContaining('cannot be read')});
    await expect(loadPrices(dir)).rejects.toThrow(/it is a folder/);
    await writeFile(join(dir, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
    await expect(loadPrices(join(dir, 'binary'))).rejects.toThrow(/is not UTF-8 text/);
    await writeFile(join(dir, 'large'), Buffer.alloc(1024 * 1024 + 1, 32));
    await expect(loadPrices(join(dir, 'large'))).rejects.toThrow(/is larger than 1048576 bytes/);
  } finally {
    await rm(dir, {recursive: true});
  }
});
