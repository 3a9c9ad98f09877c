import type {Clock} from '../ports/clock.ts';
import type {Abilities, WitnessWriter} from '../ports/store.ts';
import {type Lane, startStream, type Witness} from './witness.ts';

/** `members`: every member of the store, by name; each gets every number. `run` begins every reference. Durations in ms. */
export type StoreWitnessOptions = {
  readonly store: string;
  readonly members: readonly string[];
  readonly ability: Abilities['witness'];
  readonly run: string;
  readonly everyMs: number;
  readonly deadlineMs: number;
  readonly logFile: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Starts a write stream straight into a store: a new number every `everyMs`, to all of its members at once, whatever is outstanding. Only the
 * primary takes it. Runs in this thread: where that stands still, the log says so. An earlier part of the run's log is carried on.
 */
export async function startStoreWitness(options: StoreWitnessOptions): Promise<Witness> {
  const {store, members, ability, ...common} = options;
  const writers = members.map((member) => ({member, writer: ability.writer(member, options.run)}));
  const measured = writers.every(({writer}) => writer.tookMs !== undefined);
  const cpuMs = (): number => writers.reduce((sum, {writer}) => sum + (writer.tookMs?.() ?? 0), 0);
  const lanes = writers.map(({member, writer}) => lane(options.run, member, writer));
  return await startStream({...common, url: `store:${store}`, ...(measured ? {cpuMs} : {})}, async () => lanes);
}

function lane(run: string, member: string, writer: WitnessWriter): Lane {
  return {
    member,
    refOf: (n) => `${run}-${member}-${n}`,
    send: (ref, ended) => writer.write(ref, ended),
    close: () => writer.close(),
  };
}
