import {z} from 'zod';

/** `version --json`; `root`, `dataDir` and `plugins` with `--verbose`. */
export const versionSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  arch: z.string(),
  root: z.string().optional(),
  dataDir: z.string().optional(),
  plugins: z.array(z.looseObject({name: z.string(), version: z.string(), type: z.enum(['user', 'link']), root: z.string()})).optional(),
});

/** `init --json`. */
export const initSchema = z.looseObject({file: z.string()});

/** Each plugin that `plugins`, `plugins inspect` and `plugins install` list with `--json`. */
export const pluginSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  type: z.enum(['core', 'user', 'link']),
  root: z.string(),
  commands: z.array(z.string()),
  tag: z.string().optional(),
  url: z.string().optional(),
  dependencies: z.record(z.string(), z.looseObject({from: z.string(), version: z.string()})).optional(),
});

/** `plugins manifest --json`. */
export const pluginsManifestSchema = z.looseObject({file: z.string(), commands: z.array(z.string())});
