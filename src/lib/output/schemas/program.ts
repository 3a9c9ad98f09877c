import {z} from 'zod';

/** `version --json`. */
export const versionSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  arch: z.string(),
});

/** `init --json`. */
export const initSchema = z.looseObject({file: z.string()});
