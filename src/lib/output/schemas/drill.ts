import {z} from 'zod';
import {sentence} from './fields.ts';

const problem = z.looseObject({
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
      problems: z.array(problem),
      unsure: z.array(sentence),
    }),
  ),
});
