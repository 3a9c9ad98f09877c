// Writes the published JSON Schemas. `--check` only says whether they are up to date.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {drillSchema} from '../src/lib/drill/drill-schema.ts';
import {fleetJsonSchema} from '../src/lib/fleet/json-schema.ts';
import {documentJsonSchemas} from '../src/lib/output/schemas.ts';
import {builtinProviders} from '../src/lib/providers/builtin.ts';

const folder = join(import.meta.dirname, '../schemas');
const schemas: Record<string, object> = {
  fleet: fleetJsonSchema(builtinProviders),
  drill: z.toJSONSchema(drillSchema, {io: 'input'}),
  ...documentJsonSchemas(),
};
mkdirSync(folder, {recursive: true});
for (const [name, schema] of Object.entries(schemas)) {
  const file = join(folder, `${name}.schema.json`);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readText(file) !== text) {
    console.error(`schemas/${name}.schema.json is out of date: run "npm run schemas"`);
    process.exitCode = 1;
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
