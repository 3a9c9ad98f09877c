import {z} from 'zod';
import {code, ms, sentence, time} from './fields.ts';

const verdict = z.enum(['passed', 'failed', 'unknown']);

const last = z.looseObject({
  runId: z.string(),
  at: time,
  verdict,
  verdictCode: code,
  verdictReason: sentence,
  writeGapMs: ms.nullable(),
  lostWrites: z.int().min(0).nullable(),
});

const listed = z.looseObject({
  name: z.string(),
  scenario: z.string().nullable(),
  description: z.string(),
  file: z.string(),
  shown: z.string(),
  place: z.enum(['calendar', 'dir', 'fleet', 'shipped']),
  chosen: z.boolean(),
  every: z.string().nullable(),
  problem: sentence.nullable(),
  note: sentence.nullable(),
  last: last.nullable(),
});

/** `drill list --json`. */
export const drillListSchema = z.looseObject({fleet: z.string().nullable(), drills: z.array(listed), notes: z.array(sentence)});

const tried = z.looseObject({runId: z.string().nullable(), at: time, verdict, code, counts: z.boolean(), says: sentence});

const entry = z.looseObject({
  kind: z.enum(['drill', 'readiness']),
  name: z.string(),
  every: z.string(),
  graceMs: ms,
  state: z.enum(['ok', 'due-soon', 'due', 'overdue', 'never', 'unknown']),
  lastPassed: tried.nullable(),
  lastTried: tried.nullable(),
  nextDue: time.nullable(),
  overdueMs: ms.nullable(),
  says: sentence,
  file: z.string().nullable(),
  problem: sentence.nullable(),
});

/** `drill due --json`. */
export const drillDueSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  verdict: z.enum(['ok', 'owed', 'unknown']),
  calendar: z.array(entry),
  notes: z.array(sentence),
});

const fileProblem = z.looseObject({
  line: z.int().min(1).nullable(),
  column: z.int().min(1).nullable(),
  field: z.string(),
  message: sentence,
  suggestion: z.string(),
});

/** `drill validate --json`: each file with what is wrong in it; `line` and `column` are null where it is not in the text. */
export const drillValidateSchema = z.looseObject({
  fleet: z.string(),
  valid: z.boolean(),
  drills: z.array(
    z.looseObject({
      file: z.string(),
      name: z.string().nullable(),
      valid: z.boolean(),
      problems: z.array(fileProblem),
      more: z.int().min(0),
      unsure: z.array(sentence),
    }),
  ),
});
