import type {Provider} from 'regionctl/kit';
import {rabbitmqProviders} from '../providers.ts';

/** What regionctl asks a plugin for. Nothing is connected to, and no client is loaded, until a fleet file names one of these. */
export default async function providers(): Promise<readonly Provider[]> {
  return rabbitmqProviders;
}
