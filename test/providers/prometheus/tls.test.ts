import {readFileSync} from 'node:fs';
import {createServer} from 'node:https';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {freePort} from '../../servers/embedded.ts';
import {CA_FILE} from '../tls/tls-server.ts';
import {matrix, sourceAt} from './scripted.ts';

const [key, cert] = ['server.key', 'good.pem'].map((file) => readFileSync(join(import.meta.dirname, '../tls/certificates', file)));
const server = createServer({key, cert}, (_, response) => response.end(matrix([{labels: {}, values: [[0, '7']]}])));
let url = '';
beforeAll(async () => {
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  url = `https://127.0.0.1:${port}`;
});
afterAll(() => new Promise((done) => server.close(done)));

const read = async (caFile: string | null) => {
  const source = sourceAt(url, {caFile});
  const outcome = await outcomeOf(async () => {
    const {sets} = await source.series('up', {from: 0, to: 0, stepMs: 1}, AbortSignal.timeout(5000));
    expect(sets[0]?.readings[0]?.value).toBe(7);
  });
  await source.close?.();
  return outcome;
};

it('trusts the authorities of its file, and of the system otherwise', async () => {
  expect(await read(CA_FILE)).toEqual({refused: false});
  expect(await read(null)).toMatchObject({refused: true, code: 'metrics-unreachable', message: expect.stringContaining('certificate')});
});

it('says so when the file holds no certificate', async () => {
  const message = expect.stringContaining('holds no certificate in PEM');
  expect(await read(join(import.meta.dirname, 'tls.test.ts'))).toMatchObject({refused: true, exit: 69, message});
});
