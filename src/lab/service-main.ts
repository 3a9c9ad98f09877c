import {readFileSync} from 'node:fs';
import {type ServiceConfig, startService} from './service.ts';

// The process of one region's service: `service <config.json>`. It tells its parent its port, is told of faults, and lives on when the parent is gone.
const config: ServiceConfig = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const trouble = {errorShare: config.errorShare};
process.on('message', (told: {errorShare: number}) => {
  trouble.errorShare = told.errorShare;
  process.send?.({errorShare: trouble.errorShare});
});
const service = await startService(config, readFileSync(config.passwordFile, 'utf8').trim(), trouble);
process.on('SIGTERM', () => process.exit(0));
process.send?.({port: service.port});
