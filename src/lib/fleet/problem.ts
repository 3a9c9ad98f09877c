import {basename, relative} from 'node:path';
import {RegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';

/** Where something stands in the fleet file: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with the fleet file. `line` and `column` count from 1. Values of secrets are never in it. */
export type Problem = {
  readonly code: 'fleet-invalid' | 'secret-missing';
  readonly path: Path;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to do about it. */
  readonly suggestion: string;
};

/** A problem before its place is known. `at` says whether the key or the value is to be pointed at. */
export type Finding = {
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly suggestion: string;
  readonly code?: Problem['code'];
};

const LONGEST = 60;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Dotted form of a path, as messages show it: `routes.front-door.weights.us-east`, `services.checkout.stores[0]`. */
export function dotted(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? keyText(part) : `.${keyText(part)}`)).join('');
}

/** One line for people: `regionctl.yaml:12:7 regions.us-east.tier: expected …`. The file is shown relative to `cwd` when it is below it. */
export function describeProblem(file: string, problem: Problem, cwd: string): string {
  const field = dotted(problem.path);
  return `${shown(file, cwd)}:${problem.line}:${problem.column}${field === '' ? '' : ` ${field}`}: ${problem.message}`;
}

/** The first problem as the one error (exit 78), with how many more there are. `problems` are in the order of the file and not empty. */
export function problemsError(file: string, problems: readonly Problem[], cwd: string): RegionctlError {
  const [first] = problems;
  if (first === undefined) throw new RangeError('no problem to report');
  const more = problems.length - 1;
  const message = `${describeProblem(file, first, cwd)}${more === 0 ? '' : ` (and ${more} more)`}`;
  const suggestions = more === 0 ? [first.suggestion] : [first.suggestion, 'regionctl doctor lists every problem.'];
  return new RegionctlError(first.code, EXIT.fleetInvalid, message, {suggestions});
}

/** In the order of the file; of several problems at one path only the first is kept, because the others follow from it. */
export function ordered(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  const unique = problems.filter((problem) => {
    const key = JSON.stringify(problem.path);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
  return unique.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** A value as a message shows it: short, and without the user part of a URL. */
export function got(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const masked = value.replaceAll(/\/\/[^/]*@/g, '//•••@');
  return quoted(masked);
}

/** In quotes, short, and without signs that a terminal would act on. */
function quoted(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}…` : text;
  return seen(JSON.stringify(short));
}

/** A text with its control signs, and those that turn a line round, written out. */
export function seen(text: string): string {
  return text.replaceAll(UNSEEN, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
}

/** A key as it is, unless it is one that nobody would write. */
function keyText(key: string): string {
  return key.length > LONGEST || key.search(UNSEEN) >= 0 ? quoted(key) : key;
}

/** What stands at a path of plain data; undefined when nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<string | number, unknown>)[part];
  }
  return here;
}

function shown(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path === '' || path.startsWith('..') ? basename(file) : path;
}
