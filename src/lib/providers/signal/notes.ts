import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {stateError} from '../../errors.ts';
import {removeDurable, writeDurable} from '../../state/durable-file.ts';
import {stateTrouble} from '../../state/trouble.ts';
import type {ProviderContext} from '../define.ts';

const schema = z.object({
  v: z.literal(1),
  /** Every process that is signalled, parents first. */
  marks: z.array(z.object({pid: z.int().min(2), start: z.string()})).readonly(),
  /** The pid files whose processes ran before. */
  files: z.array(z.string()).readonly(),
});

/** What a fault touches, on disk before it does: whoever heals later, signals these and no others. */
export type SignalNote = Readonly<z.infer<typeof schema>>;
export type SignalKind = 'freeze' | 'kill';

/** One note for each region and kind. Reading and writing throw StateError (73). */
export type SignalNotes = {
  read(region: string, kind: SignalKind): SignalNote | null;
  write(region: string, kind: SignalKind, note: Omit<SignalNote, 'v'>): void;
  remove(region: string, kind: SignalKind): void;
};

export function signalNotes({fleet, stateDir}: Pick<ProviderContext, 'fleet' | 'stateDir'>): SignalNotes {
  const fileOf = (region: string, kind: SignalKind): string => {
    if (stateDir === undefined) throw stateError('state-missing', 'signals need a state folder to write down what they touch');
    // Two names that differ in signs only must not share a file.
    const digest = createHash('sha256')
      .update(JSON.stringify([fleet.name, region]))
      .digest('hex')
      .slice(0, 12);
    return join(stateDir, 'faults', 'signals', `${region.replaceAll(/[^\w-]/gu, '_').slice(0, 40)}-${digest}.${kind}.json`);
  };
  return {
    read(region, kind) {
      const file = fileOf(region, kind);
      try {
        return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw stateTrouble(file, error);
      }
    },
    write: (region, kind, note) => writeDurable(fileOf(region, kind), `${JSON.stringify({v: 1, ...note})}\n`),
    remove: (region, kind) => removeDurable(fileOf(region, kind)),
  };
}
