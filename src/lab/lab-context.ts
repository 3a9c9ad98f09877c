import type {PostgresBinaries, RunAs} from './postgres-binaries.ts';
import type {LabMode, LabProfile} from './record.ts';

/** What `lab up` tells the supervisor. Paths are absolute; `serviceEntry` is the program of the regional service. */
export type LabOptions = {
  readonly dir: string;
  readonly regions: number;
  readonly profile: LabProfile;
  readonly mode: LabMode;
  readonly postgresBin: string | null;
  readonly serviceEntry: string;
  /** JSON Schema of fleet files to put beside the lab's; null = none. */
  readonly schemaFile: string | null;
};

/** The passwords of the three roles. They are kept in `<dir>/secrets`, one file each. */
export type Passwords = {readonly regionctl: string; readonly replicator: string; readonly app: string};

/** What all regions of a running lab share. */
export type LabContext = {
  readonly options: LabOptions;
  readonly dataRoot: string;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly passwords: Passwords;
  readonly members: readonly string[];
  /** Called when a process was started or has ended. */
  readonly changed: () => void;
};
