import {z} from 'zod';
import {unavailable} from '../../errors.ts';
import {defineMetrics, type Provider} from '../define.ts';

/** The `history` source of series: what `capacity collect` wrote. */
export const historyProviders: readonly Provider[] = [
  defineMetrics({
    kind: 'history',
    schema: z.strictObject({}),
    async create(_config, _name, {fleet, stateDir, clock}) {
      if (stateDir === undefined) throw unavailable('metrics-unreadable', 'there is no folder of state, so there is no history');
      const {historyMetrics} = await import('./history-metrics.ts');
      return historyMetrics({dir: stateDir, fleet: fleet.name, clock});
    },
  }),
];
