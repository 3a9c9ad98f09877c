import type {Clock} from '../../ports/clock.ts';
import type {Metrics} from '../../ports/metrics.ts';
import {type CapacityHistory, openHistoryIfThere} from '../../state/capacity-history.ts';

/** The history of a fleet as a source of series. The query is the name of a series; its regions are told apart by a label `region`, the whole fleet has none. */
export function historyMetrics(place: {readonly dir: string; readonly fleet: string; readonly clock: Clock}): Metrics {
  let opened: Promise<CapacityHistory | null> | null = null;
  return {
    async series(query, {from, to}, signal) {
      signal.throwIfAborted();
      opened ??= openHistoryIfThere(place);
      const history = await opened.catch((error: unknown) => {
        opened = null;
        throw error;
      });
      signal.throwIfAborted();
      if (history === null) {
        // It may have been begun by the next time.
        opened = null;
        return {sets: [], remarks: ['nothing was collected yet']};
      }
      const sets = history.read(query, from, to).filter(({readings}) => readings.length > 0);
      return {sets: sets.map(({region, readings}) => ({labels: region === null ? {} : {region}, readings})), remarks: []};
    },
    close: async () => (await opened?.catch(() => null))?.close(),
  };
}
