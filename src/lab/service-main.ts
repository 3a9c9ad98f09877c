import {readFileSync} from 'node:fs';
import {type ServiceConfig, startService} from './service.ts';

// The process of one region's service: `service <config.json>`. It tells its parent its port, and lives on when the parent is gone.
const config: ServiceConfig = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const service = await startService(config, readFileSync(config.passwordFile, 'utf8').trim());
process.on('SIGTERM', () => process.exit(0));
process.send?.({port: service.port});
