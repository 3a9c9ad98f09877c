import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import {type Finding, got, type Path, type Problem} from './problem.ts';

/** The parsed text of a fleet file: plain data, and where each part of it stands. */
export type Source = {readonly raw: unknown; place(finding: Finding): Problem};

/** Deep enough for any fleet file; stops aliases that contain themselves. */
const DEEPEST = 32;
const MOST_ALIASES = 50;

/** Reads YAML 1.2. Syntax errors, duplicate keys, bombs and an empty file are problems; `source` is null when there are any. */
export function parseSource(text: string): {readonly source: Source | null; readonly problems: readonly Problem[]} {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const {line, col} = lines.linePos(offset);
    return {line: Math.max(line, 1), column: Math.max(col, 1)};
  };
  try {
    const doc = parseDocument(text, {lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error'});
    const broken = syntaxProblems(doc, at);
    if (broken.length > 0) return {source: null, problems: broken};
    const raw: unknown = doc.toJS({maxAliasCount: MOST_ALIASES});
    const problems = shapeProblems(raw);
    return {source: problems.length > 0 ? null : {raw, place: (finding) => placed(doc, finding, at)}, problems};
  } catch (error) {
    return {
      source: null,
      problems: [problemAt({line: 1, column: 1}, bombMessage(error), 'Write the file with less nesting and fewer aliases.')],
    };
  }
}

type At = (offset: number) => {line: number; column: number};

/** After a syntax error the parser guesses, so only the first is reported; what is wrong with keys is all reported. */
function syntaxProblems(doc: Document.Parsed, at: At): readonly Problem[] {
  const errors: readonly YAMLError[] = [...doc.errors, ...doc.warnings.filter((warning) => warning.code === 'TAG_RESOLVE_FAILED')];
  const [syntax] = errors;
  if (errors.some((error) => error.message.startsWith('Maximum call stack'))) throw new RangeError('too deep');
  return syntax === undefined ? keyProblems(doc, at) : [problemAt(at(syntax.pos[0]), yamlMessage(syntax), yamlFix(syntax))];
}

/**
 * Keys that are lists or mappings cannot be names. `__proto__` would be dropped silently on the way. Keys that are there twice are looked for here and not
 * by the parser, which compares each with each: a file of a mebibyte would keep it busy for minutes.
 */
function keyProblems(doc: Document.Parsed, at: At): readonly Problem[] {
  const problems: Problem[] = [];
  visit(doc, {
    Map(_, {items}) {
      const known = new Set<unknown>();
      for (const {key} of items) {
        if (!isScalar(key)) continue;
        if (known.has(key.value))
          problems.push(problemAt(at(key.range?.[0] ?? 0), `duplicate key ${got(String(key.value))}`, 'Keep one of the two.'));
        known.add(key.value);
      }
    },
    Pair(_, {key}: Pair) {
      const wrong = isCollection(key)
        ? 'a key must be one word'
        : isScalar(key) && key.value === '__proto__'
          ? 'the key "__proto__" is not allowed'
          : null;
      const offset = isCollection(key) || isScalar(key) ? (key.range?.[0] ?? 0) : 0;
      if (wrong !== null) problems.push(problemAt(at(offset), wrong, 'Choose another key.'));
    },
  });
  return problems;
}

function shapeProblems(raw: unknown): readonly Problem[] {
  if (raw === null || raw === undefined)
    return [problemAt({line: 1, column: 1}, 'the file is empty', 'regionctl init --force writes a commented one.')];
  if (typeof raw !== 'object' || Array.isArray(raw)) {
    const what = Array.isArray(raw) ? 'a list' : 'a single value';
    return [
      problemAt(
        {line: 1, column: 1},
        `expected a mapping with "version", "fleet" and "regions", got ${what}`,
        'regionctl init shows the shape.',
      ),
    ];
  }
  return depthOf(raw) > DEEPEST
    ? [
        problemAt(
          {line: 1, column: 1},
          `nested more than ${DEEPEST} levels deep`,
          'Write the file with less nesting; an alias must not contain itself.',
        ),
      ]
    : [];
}

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return depth;
  return Math.max(depth, ...Object.values(value).map((child) => depthOf(child, depth + 1)));
}

/** Positions a finding. What is not in the file, such as a missing key, stands at the nearest key above it. */
function placed(doc: Document.Parsed, {path, at: what, message, suggestion, code}: Finding, at: At): Problem {
  return {...problemAt(at(offsetOf(doc, path, what)), message, suggestion), path, code: code ?? 'fleet-invalid'};
}

function offsetOf(doc: Document.Parsed, path: Path, what: 'key' | 'value'): number {
  let node: unknown = doc.contents;
  let offset = doc.contents?.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    const found = childOf(doc, node, part);
    if (found === null) return offset;
    const last = index === path.length - 1;
    offset = (last && what === 'value' ? startOf(found.value) : null) ?? startOf(found.key) ?? startOf(found.value) ?? offset;
    node = found.value;
  }
  return offset;
}

function childOf(doc: Document.Parsed, parent: unknown, part: string | number): {key: unknown; value: unknown} | null {
  const node: unknown = isAlias(parent) ? parent.resolve(doc) : parent;
  if (isMap(node)) {
    const pair = pairsOf(node).get(String(part));
    return pair === undefined ? null : {key: pair.key, value: pair.value};
  }
  const item = isCollection(node) ? (node.items[Number(part)] ?? null) : null;
  return item === null ? null : {key: null, value: item};
}

/* Many findings may be in one mapping. */
const indexed = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

function pairsOf(node: YAMLMap): ReadonlyMap<string, Pair> {
  const before = indexed.get(node);
  if (before !== undefined) return before;
  const pairs = new Map(node.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value ?? '') : String(pair.key), pair] as const));
  indexed.set(node, pairs);
  return pairs;
}

function startOf(node: unknown): number | null {
  const {range} = (node ?? {}) as Partial<Node>;
  return range?.[0] ?? null;
}

function problemAt(place: {line: number; column: number}, message: string, suggestion: string): Problem {
  return {code: 'fleet-invalid', path: [], ...place, message, suggestion};
}

/** The parser's messages may quote the text, which may be a secret: only messages known to be free of it are passed on. */
function yamlMessage(error: YAMLError): string {
  if (error.code === 'MULTIPLE_DOCS') return 'the file holds more than one YAML document';
  if (error.code === 'TAG_RESOLVE_FAILED') return 'tags such as !name are not supported';
  if (error.code === 'UNEXPECTED_TOKEN') return 'not valid YAML: unexpected text';
  return `not valid YAML: ${error.message.replaceAll(/"[^"]{4,}"/g, 'the text').replaceAll(/\s+/g, ' ')}`;
}

function yamlFix(error: YAMLError): string {
  if (error.code === 'MULTIPLE_DOCS') return 'Keep one document: take the "---" out.';
  if (error.code === 'TAG_RESOLVE_FAILED')
    return `Take the tag out; secrets are written as \${env:NAME}, \${file:path} or \${exec:program}.`;
  return 'Check the indentation, quotes and brackets at this place.';
}

function bombMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (message.startsWith('Excessive alias')) return `too many aliases: at most ${MOST_ALIASES}`;
  if (message.startsWith('Unresolved alias')) return 'an alias names an anchor that does not stand before it';
  return 'nested too deeply to be read';
}
