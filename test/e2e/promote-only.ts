// A failover as a script in a hurry does it: promotes the region's server, lets it acknowledge alone, and sends all traffic there. It fences nobody.
//
//   node test/e2e/promote-only.ts LAB REGION
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import pg from 'pg';
import {askLab} from '../../src/lab/control-client.ts';
import {readRecord} from '../../src/lab/record.ts';

const [dir = '', region = ''] = process.argv.slice(2);
const record = readRecord(dir);
const port = record?.regions.find(({name}) => name === region)?.direct.postgres;
if (record === null || port === undefined) throw new Error(`no lab with ${region} in ${dir}`);

const password = readFileSync(join(dir, 'secrets/regionctl'), 'utf8').trim();
const client = new pg.Client({host: '127.0.0.1', port, user: 'regionctl', password, database: 'orders', query_timeout: 10_000});
await client.connect();
await client.query('select pg_promote()');
await client.query(`alter system set synchronous_standby_names = ''`);
await client.query('select pg_reload_conf()');
await client.end();
await askLab(record, {method: 'PUT', path: '/routes/front-door', body: {weights: {[region]: 100}}});
