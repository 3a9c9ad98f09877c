import {z} from 'zod';
import {metricsSchema} from './capacity-schema.ts';
import {uplinkSchema, vantageSchema} from './health-schema.ts';
import {type KindProvider, kindsOf, type PortName, type ProviderKinds} from './kinds.ts';
import {
  endpointSchema,
  faultSchema,
  fileSchema,
  handlerSchema,
  hostSchema,
  notifierSchema,
  OWN_KEYS,
  routeSchema,
  storeSchema,
} from './schema.ts';

type JsonSchema = {[key: string]: unknown};

/** Which key chooses the provider of a part, and whose part it is. */
const OWNERS: readonly {readonly schema: z.ZodType; readonly port: PortName; readonly key: string; readonly own: readonly string[]}[] = [
  {schema: endpointSchema, port: 'probe', key: 'probe', own: OWN_KEYS.endpoint},
  {schema: storeSchema, port: 'store', key: 'engine', own: OWN_KEYS.store},
  {schema: routeSchema, port: 'router', key: 'router', own: OWN_KEYS.route},
  {schema: faultSchema, port: 'fault', key: 'kind', own: OWN_KEYS.fault},
  {schema: hostSchema, port: 'host', key: 'kind', own: OWN_KEYS.host},
  {schema: vantageSchema, port: 'vantage', key: 'kind', own: OWN_KEYS.vantage},
  {schema: uplinkSchema, port: 'probe', key: 'probe', own: OWN_KEYS.uplink},
  {schema: notifierSchema, port: 'notifier', key: 'kind', own: OWN_KEYS.notifier},
  {schema: metricsSchema, port: 'metrics', key: 'kind', own: OWN_KEYS.metrics},
  {schema: handlerSchema, port: 'handler', key: 'kind', own: OWN_KEYS.handler},
];

/**
 * JSON Schema (draft 2020-12) of the fleet file for editors. Each kind that a provider adds is one `if`/`then` beside the generic keys.
 * It accepts what the loader accepts; cross references, and variables in place of numbers, are for the loader.
 */
export function fleetJsonSchema(providers: readonly KindProvider[]): object {
  const kinds = kindsOf(providers);
  const schema = z.toJSONSchema(fileSchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({zodSchema, jsonSchema}) => {
      const owner = OWNERS.find((one) => (one.schema as unknown) === zodSchema);
      if (owner !== undefined) addKinds(jsonSchema as JsonSchema, owner, kinds);
    },
  });
  return {...schema, title: 'regionctl fleet file'};
}

function addKinds(json: JsonSchema, {port, key, own}: (typeof OWNERS)[number], kinds: ProviderKinds): void {
  const known = Object.entries(kinds[port]);
  if (known.length === 0) return;
  const properties = json.properties as Record<string, JsonSchema>;
  properties[key] = {...properties[key], enum: known.map(([kind]) => kind)};
  json.allOf = known.map(([kind, {schema, memberSchema: member}]) =>
    when(key, kind, withMembers(admitting(inputSchema(schema), own), member)),
  );
}

/** `if` the key is this kind, `then` that schema; not written as a literal, because an object with `then` looks like a promise. */
function when(key: string, kind: string, schema: JsonSchema): JsonSchema {
  return Object.fromEntries([
    ['if', {properties: {[key]: {const: kind}}, required: [key]}],
    ['then', schema],
  ]);
}

/** The engine's own keys of a member are known only where its kind is known. */
function withMembers(json: JsonSchema, member: z.ZodType | undefined): JsonSchema {
  if (member === undefined) return json;
  const properties = json.properties as JsonSchema | undefined;
  const members = {type: 'object', additionalProperties: admitting(inputSchema(member), OWN_KEYS.member)};
  return {...json, properties: {...properties, members}};
}

function inputSchema(schema: z.ZodType): JsonSchema {
  const {$schema: _, ...json} = z.toJSONSchema(schema, {io: 'input', target: 'draft-2020-12', unrepresentable: 'any'}) as JsonSchema;
  return json;
}

/** A provider's schema is strict about its own keys; the generic keys beside them must pass it. */
function admitting(json: JsonSchema, own: readonly string[]): JsonSchema {
  const generic = Object.fromEntries(own.map((key) => [key, true]));
  const branches = ['anyOf', 'oneOf', 'allOf'].filter((word) => Array.isArray(json[word]));
  const admitted = Object.fromEntries(branches.map((word) => [word, (json[word] as JsonSchema[]).map((branch) => admitting(branch, own))]));
  if (json.type !== 'object') return {...json, ...admitted};
  const properties = {...generic, ...(json.properties as JsonSchema | undefined)};
  return {...json, ...admitted, properties, additionalProperties: json.additionalProperties ?? false};
}
