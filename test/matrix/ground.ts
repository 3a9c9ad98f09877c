import type pg from 'pg';
import type {RunDocument} from '../../src/lib/run/document.ts';

/** What happens to the primary's region, and is taken back before it fails back. */
export type Fault = 'kill' | 'freeze' | 'partition';

/** How a process of regionctl ended. `document` null = it printed an error. */
export type Ended = {readonly code: number | null; readonly document: RunDocument | null; readonly text: string};

/** Three regions on which faults are tried out: on the lab, or on Debian's PostgreSQL behind HAProxy. The first region is home. */
export type Ground = {
  readonly regions: readonly string[];
  /** A session with the region's own server, past every proxy and every fault. */
  connect(region: string, settings: pg.ClientConfig): Promise<pg.Client>;
  /** The same as a superuser, whom a fence lets in. */
  admin(region: string): Promise<pg.Client>;
  /** One write where clients enter, whoever has the traffic: answers the region that acknowledged it. Throws when nobody did. */
  enter(id: number): Promise<string>;
  /** The ids that a region holds, by SQL: of the writers' own table, and of what came in where clients enter. */
  readonly held: string;
  /** Whether nobody but these writers writes: then what a failback keeps is theirs to the last row. */
  readonly alone: boolean;
  regionctl(...args: readonly string[]): Promise<Ended>;
  /** Replication from home to `slow` takes so much longer than to the others. */
  delay(slow: string, ms: number): Promise<void>;
  begin(fault: Fault): Promise<void>;
  /** Takes the fault back; a killed server is started as its data says, as a primary. */
  end(fault: Fault): Promise<void>;
  remove(): Promise<void>;
};

/** What was printed, as a run where it is one. */
export function endedWith(code: number | null, {stdout, stderr}: {readonly stdout: string; readonly stderr: string}): Ended {
  const text = `${stdout}\n${stderr}`;
  try {
    const printed = JSON.parse(stdout) as Partial<RunDocument>;
    return {code, document: printed.steps === undefined ? null : (printed as RunDocument), text};
  } catch {
    return {code, document: null, text};
  }
}
