import {randomBytes} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {z} from 'zod';
import {messageOf, stateError} from '../errors.ts';
import {removeDurable, writeDurable} from '../state/durable-file.ts';
import {stateTrouble} from '../state/trouble.ts';

/** The endpoints of a place by whether anything answered. `untold`: those of which it was not known; absent = there are none. */
export type Outside = {
  readonly answering: readonly string[];
  readonly silent: readonly string[];
  readonly untold?: readonly string[];
};

const mark = z.object({pid: z.int().min(2), start: z.string()});
const names = z.array(z.string()).readonly();

const schema = z.object({
  v: z.literal(1),
  id: z.string(),
  fleet: z.string(),
  /** Absolute path. */
  fleetFile: z.string(),
  /** Kind of the fault injector, as the fleet file names it. */
  injector: z.string(),
  runId: z.string(),
  kind: z.string(),
  /** The place: a region or a route. */
  region: z.string(),
  /** Epoch ms, by the clock on the wall; the reaper counts the lease itself. */
  since: z.number(),
  leaseMs: z.number(),
  lateMs: z.number(),
  /** False until the injection has come to its end: until then it may still be on its way. */
  injected: z.boolean(),
  /** Who injects. */
  by: mark,
  /** Who heals when the lease ends; null = the injector does it by itself, or nobody yet. */
  reaper: mark.nullable(),
  /** What answered before the injection; null = not known. */
  before: z.object({answering: names, silent: names, untold: names.exactOptional()}).nullable(),
});

/** A fault that may be there. It is written before the injection and removed when its end is proven. */
export type FaultEntry = Readonly<z.infer<typeof schema>>;

/** Every fault that may be there, one file each, named by its id. Writing and removing throw StateError (73); an id that is no name of a file does, too. */
export type FaultLedger = {
  readonly dir: string;
  /** On disk when it returns. */
  write(entry: FaultEntry): void;
  /** Null = it was removed. Throws StateError (73) for a record that is damaged, or whose id is not its file's name. */
  read(id: string): FaultEntry | null;
  /** Those of one fleet, the oldest first, and the files of any fleet that cannot be read. */
  list(fleet: string): {readonly entries: readonly FaultEntry[]; readonly broken: readonly {readonly file: string; readonly why: string}[]};
  remove(id: string): void;
  fileOf(id: string): string;
};

/** An id that no other fault has. It sorts by time and is a file name. */
export function newFaultId(runId: string, wall: number): string {
  return `${wall.toString(36).padStart(9, '0')}-${runId.replaceAll(/[^\w.-]/gu, '_').slice(0, 60)}-${randomBytes(4).toString('hex')}`;
}

/** The ledger of a state folder. Nothing is made before something is written. */
export function faultLedger(stateDir: string): FaultLedger {
  const dir = join(stateDir, 'faults');
  const fileOf = (id: string): string => {
    if (!FILE_NAME.test(id)) throw stateError('fault-record', `the record of a fault cannot be called ${JSON.stringify(id)}`);
    return join(dir, `${id}.json`);
  };
  return {
    dir,
    fileOf,
    write: (entry) => writeDurable(fileOf(entry.id), `${JSON.stringify(entry, null, 1)}\n`),
    remove: (id) => removeDurable(fileOf(id)),
    read: (id) => {
      try {
        return readRecord(fileOf(id));
      } catch (error) {
        if (isMissing(error)) return null;
        throw stateTrouble(fileOf(id), error);
      }
    },
    list(fleet) {
      const entries: FaultEntry[] = [];
      const broken: {file: string; why: string}[] = [];
      for (const name of filesIn(dir)) {
        const file = join(dir, name);
        try {
          entries.push(readRecord(file));
        } catch (error) {
          if (!isMissing(error)) broken.push({file, why: messageOf(error).split('\n')[0] ?? ''});
        }
      }
      return {entries: entries.filter((entry) => entry.fleet === fleet).toSorted((a, b) => a.since - b.since), broken};
    },
  };
}

const FILE_NAME = /^(?!\.)[\w.-]+$/u;

/** A record is removed by its id: one that names another file than its own must not be obeyed. */
function readRecord(file: string): FaultEntry {
  const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success && parsed.data.id === basename(file, '.json')) return parsed.data;
  if (parsed.success) throw new Error(`id: ${JSON.stringify(parsed.data.id)} is not the name of its file`);
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') || 'all of it'}: ${issue?.message ?? 'not what was expected'}`);
}

function filesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw stateTrouble(dir, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
