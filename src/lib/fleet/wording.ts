import type {z} from 'zod';
import type {FieldParams} from './fields.ts';
import {nearest} from './lookup.ts';
import {dotted, type Finding, got, type Path, valueAt} from './problem.ts';

type Issue = z.core.$ZodIssue;

/** What wording needs beside the issues: where the checked part stands, its text as written, and keys that others own there. */
export type Part = {readonly path: Path; readonly raw: unknown; readonly ownKeys?: readonly string[]; readonly what?: string};

/** What is found out once for many issues: the keys that a schema knows, and what is said of a key that is none of them. */
type Known = {readonly keys: Map<string, readonly string[]>; readonly said: Map<readonly string[], Map<string, Said>>};
type Said = Pick<Finding, 'message' | 'suggestion'>;

/**
 * Checks a value and words every issue. `part.raw` is the value as it stands in the file, so that messages show references and never what
 * they stand for.
 */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  part: Part,
): {readonly data: T | undefined; readonly findings: readonly Finding[]} {
  const known: Known = {keys: new Map(), said: new Map()};
  const result = schema.safeParse(value, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') known.keys.set(String(issue.keys), keysOf(issue.inst));
      return undefined;
    },
  });
  if (result.success) return {data: result.data, findings: []};
  return {data: undefined, findings: result.error.issues.flatMap((issue) => findingsOf(issue, part, known))};
}

/** Paths below `path` where a schema found the mark of an unresolved reference in a secret field. */
export function secretPaths(issues: readonly Issue[], path: Path): readonly Path[] {
  return issues.flatMap((issue): readonly Path[] => {
    const here = [...path, ...(issue.path as Path)];
    if (issue.code === 'invalid_union') return issue.errors.flatMap((branch) => secretPaths(branch, here));
    return issue.code === 'custom' && paramsOf(issue)?.discovered === true ? [here] : [];
  });
}

function findingsOf(issue: Issue, part: Part, known: Known): readonly Finding[] {
  const path = [...part.path, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    const own = issue.path.length === 0 ? (part.ownKeys ?? []) : [];
    const ofSchema = known.keys.get(String(issue.keys)) ?? [];
    const all = own.length === 0 ? ofSchema : [...own, ...ofSchema];
    const said = known.said.get(all) ?? new Map<string, Said>();
    known.said.set(all, said);
    return issue.keys.map((key) => {
      const words = said.get(key) ?? unknownKey(key, all, part.what);
      said.set(key, words);
      return {path: [...path, key], at: 'key', ...words};
    });
  }
  if (issue.code === 'invalid_union') return unionFindings(issue, {...part, path}, known);
  const value = valueAt(part.raw, issue.path as Path);
  if (value === undefined && issue.code !== 'invalid_key') return [missing(path, issue)];
  return [{path, at: issue.code === 'invalid_key' ? 'key' : 'value', ...sentence(issue, value)}];
}

function unknownKey(key: string, known: readonly string[], what: string | undefined): Said {
  const guess = nearest(key, known);
  const list = known.length === 0 ? 'Take it out.' : `Known keys: ${known.join(', ')}.`;
  const message = what === undefined ? `unknown key ${got(key)}` : `unknown key ${got(key)} for ${what}`;
  return {message, suggestion: guess === undefined ? list : `Did you mean "${guess}"?`};
}

function missing(path: Path, issue: Issue): Finding {
  const key = path.at(-1);
  const {message, suggestion} = sentence(issue, undefined);
  const wanted = message.replace(/, got nothing$/, '').replace(/^expected /, '');
  const parent = dotted(path.slice(0, -1));
  const fix = paramsOf(issue)?.fix ?? suggestion;
  return {
    path,
    at: 'key',
    message: `is missing; expected ${wanted}`,
    suggestion: `Add "${key}" to ${parent === '' ? 'the file' : parent}.${fix === GENERAL_FIX ? '' : ` ${fix}`}`,
  };
}

/** The branch that the value came nearest to speaks for the union. */
function unionFindings(issue: Issue & {code: 'invalid_union'}, part: Part, known: Known): readonly Finding[] {
  const raw = valueAt(part.raw, issue.path as Path);
  const [best] = issue.errors.toSorted((a, b) => Number(refusedAtRoot(a)) - Number(refusedAtRoot(b)) || cost(a) - cost(b));
  if (best !== undefined && !refusedAtRoot(best)) return best.flatMap((inner) => findingsOf(inner, {...part, raw, ownKeys: []}, known));
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  const message =
    options.length > 0 ? `expected one of ${options.join(', ')}, got ${got(raw)}` : `${kindOf(raw)} is not one of the accepted shapes`;
  return [{path: part.path, at: 'value', message, suggestion: nearestFix(raw, options)}];
}

/** How far a value is from a branch: each unknown key counts. */
const cost = (issues: readonly Issue[]) =>
  issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);

const refusedAtRoot = (issues: readonly Issue[]) => issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type');

const GENERAL_FIX = 'Change the value; docs/fleet-file.md describes every field.';

function sentence(issue: Issue, value: unknown): {message: string; suggestion: string} {
  switch (issue.code) {
    case 'invalid_type':
      return {
        message: `expected ${typeName(issue.expected)}, got ${isText(issue.expected) ? got(value) : kindOf(value)}`,
        suggestion: typeFix(issue.expected, value),
      };
    case 'invalid_value': {
      const values = issue.values.map(String);
      const wanted = values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
      return {message: `expected ${wanted}, got ${got(value)}`, suggestion: nearestFix(value, values)};
    }
    case 'too_small':
      return bound(`at least ${issue.minimum}`, issue.origin, value);
    case 'too_big':
      return bound(`at most ${issue.maximum}`, issue.origin, value);
    case 'invalid_key':
      return {message: issue.issues[0]?.message ?? 'not a valid name', suggestion: 'Choose another name.'};
    case 'custom':
      return customSentence(issue, value);
    default:
      return {message: `${lowered(issue.message)}, got ${got(value)}`, suggestion: GENERAL_FIX};
  }
}

/** A building block says what it expected; its value is shown unless it is a secret. Other schemas speak for themselves. */
function customSentence(issue: Issue, value: unknown): {message: string; suggestion: string} {
  const params = paramsOf(issue);
  if (params?.expected === undefined) return {message: lowered(issue.message), suggestion: params?.fix ?? GENERAL_FIX};
  return {message: `expected ${params.expected}, got ${params.secret === true ? gotSecret(value) : got(value)}`, suggestion: params.fix};
}

function gotSecret(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' && value.includes('${') ? 'a malformed reference' : 'a literal value';
}

function bound(limit: string, origin: string, value: unknown): {message: string; suggestion: string} {
  const unit = origin === 'string' ? ' characters' : origin === 'array' || origin === 'set' ? ' items' : '';
  const many =
    unit === ''
      ? `a number of ${limit}`
      : limit === 'at least 1'
        ? origin === 'string'
          ? 'a text'
          : 'at least one item'
        : `${limit}${unit}`;
  const shown = Array.isArray(value) ? `${value.length}` : got(value);
  return {message: `expected ${many}, got ${shown}`, suggestion: unit === '' ? `Write a number of ${limit}.` : `Write ${many}.`};
}

/** Where a single value is expected, what was written may be shown; a text in place of a mapping or list may be a secret of it. */
function isText(expected: string): boolean {
  return !['object', 'record', 'array'].includes(expected);
}

function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a text' : got(value);
}

function typeFix(expected: string, value: unknown): string {
  if (value === null && (expected === 'object' || expected === 'record')) return 'Write what belongs under it, or take the line out.';
  const quotable = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  if (quotable) return `Put it in quotes: "${value}".`;
  if (value === undefined) return GENERAL_FIX;
  return expected === 'array' ? 'Write a list, such as [a, b].' : `Write ${typeName(expected)}.`;
}

function nearestFix(value: unknown, values: readonly string[]): string {
  const guess = nearest(String(value), values);
  if (guess !== undefined && values.length > 1) return `Did you mean "${guess}"?`;
  if (values.length === 0) return GENERAL_FIX;
  return values.length === 1 ? `Write ${values[0]}.` : `Write one of ${values.join(', ')}.`;
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
  };
  return names[expected] ?? expected;
}

function keysOf(schema: unknown): readonly string[] {
  const {shape} = (schema as {_zod?: {def?: {shape?: object}}} | undefined)?._zod?.def ?? {};
  return Object.keys(shape ?? {});
}

function paramsOf(issue: Issue): (Partial<FieldParams> & {readonly fix: string}) | undefined {
  if (issue.code !== 'custom' || issue.params === undefined) return undefined;
  return {fix: GENERAL_FIX, ...issue.params};
}

function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
