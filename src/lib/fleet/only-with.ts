import type {z} from 'zod';

/** A part of the fleet file, as it was given. */
export type Given = Readonly<Record<string, unknown>>;

/** What is of no use without another field is a mistake, never silently left out. `there`: whether that one was given. */
export function onlyWith(context: z.core.$RefinementCtx, given: Given, field: string, needed: string, there: boolean): void {
  if (given[field] === undefined || there) return;
  const params = {fix: `Add ${needed}, or take ${field} out.`};
  context.addIssue({code: 'custom', path: [field], message: `${field} is of no use without ${needed}`, params, input: null});
}
