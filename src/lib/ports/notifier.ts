import type {Json} from '../plan/json.ts';

/** What is told: a run starts, a gate was judged, a person is needed, the guard found something, or the run ended. */
export type NoticeKind = 'start' | 'gate' | 'approval' | 'guard' | 'result';

/** One thing that people or other tools should hear of. Plain JSON; `says` is one sentence. It never holds a secret. */
export type Notice = {
  readonly kind: NoticeKind;
  readonly fleet: string;
  readonly runId: string;
  readonly run: {readonly kind: string; readonly from: string | null; readonly to: string | null};
  /** ISO 8601. */
  readonly at: string;
  readonly says: string;
  readonly detail: Json;
};

/** Notifier port: delivers one event. Throws when it could not; who calls goes on all the same and puts it on the record. */
export type Notifier = {deliver(notice: Notice, signal: AbortSignal): Promise<void>};
