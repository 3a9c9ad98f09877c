import {qualified, repeated, unknownName} from './name-checks.ts';
import type {Finding, Path} from './problem.ts';
import type {FleetFile} from './schema.ts';

type Store = FleetFile['stores'][string];
type Rule = Store['consistency']['tables'][string];

/**
 * Cross checks of what is audited: policies with what they need, regions, hooks and handlers that are there, no table both named and left out, or named twice
 * (`orders` is `public.orders`).
 */
export function checkConsistency(file: FleetFile, store: Store, path: Path): readonly Finding[] {
  const {only, ignore, tables} = store.consistency;
  const named = only?.map(qualified) ?? [];
  return [
    ...repeated(named, [...path, 'only']),
    ...repeated(ignore.map(qualified), [...path, 'ignore']),
    ...ignore.flatMap((table, index): readonly Finding[] =>
      named.includes(qualified(table))
        ? [
            {
              path: [...path, 'ignore', index],
              at: 'value',
              message: `"${table}" is also in only`,
              suggestion: 'Take it out of one of the two.',
            },
          ]
        : [],
    ),
    ...twoRules(Object.keys(tables), [...path, 'tables']),
    ...Object.entries(tables).flatMap(([table, rule]) => checkRule(file, store, rule, [...path, 'tables', table])),
  ];
}

function twoRules(tables: readonly string[], path: Path): readonly Finding[] {
  const names = tables.map(qualified);
  return tables.flatMap((table, index): readonly Finding[] => {
    const first = tables[names.indexOf(names[index] ?? '')];
    const message = `"${table}" is "${first}", which has a rule already`;
    return first === table ? [] : [{path: [...path, table], at: 'key', message, suggestion: 'Keep one of the two.'}];
  });
}

function checkRule(file: FleetFile, store: Store, rule: Rule, path: Path): readonly Finding[] {
  return [...checkNeeds(rule, path), ...checkNames(file, rule, path), ...checkSource(file, store, rule, path)];
}

/** `source` belongs to the policy source, `handler` to the policy handler, and neither to another. */
function checkNeeds({policy, source, handler}: Rule, path: Path): readonly Finding[] {
  const needs = [
    ['source', source, 'the region whose version is taken'],
    ['handler', handler, 'the hook or handler that is asked'],
  ] as const;
  return needs.flatMap(([key, value, what]): readonly Finding[] => {
    if (policy === key && value === null)
      return [
        {path: [...path, 'policy'], at: 'value', message: `the policy ${key} needs ${key}: ${what}`, suggestion: `Add ${key} beside it.`},
      ];
    if (policy !== key && value !== null) {
      const suggestion = `Write policy: ${key}, or take this line out.`;
      return [{path: [...path, key], at: 'key', message: `${key} is used by the policy ${key} only; this one is ${policy}`, suggestion}];
    }
    return [];
  });
}

function checkNames(file: FleetFile, {source, handler}: Rule, path: Path): readonly Finding[] {
  const [regions, hooks, handlers] = [Object.keys(file.regions), Object.keys(file.hooks), Object.keys(file.handlers)];
  return [
    ...(source === null || regions.includes(source) ? [] : [unknownName(source, regions, 'region', [...path, 'source'], 'value')]),
    ...(handler === null ? [] : checkHandler(handler, hooks, handlers, [...path, 'handler'])),
  ];
}

function checkHandler(handler: string, hooks: readonly string[], handlers: readonly string[], path: Path): readonly Finding[] {
  const known = [...hooks, ...handlers].filter((name) => name === handler);
  if (known.length === 0) return [unknownName(handler, [...hooks, ...handlers], handlers.length === 0 ? 'hook' : 'handler', path, 'value')];
  if (known.length === 1) return [];
  return [{path, at: 'value', message: `"${handler}" is both a hook and a handler`, suggestion: 'Give one of the two another name.'}];
}

/** A source must be able to have the row. Regions that do not exist at all are told by `checkNames`. */
function checkSource(file: FleetFile, {members}: Store, {source}: Rule, path: Path): readonly Finding[] {
  const regions = Object.values(members).map(({region}) => region);
  if (source === null || !Object.hasOwn(file.regions, source) || regions.includes(source)) return [];
  const [message, suggestion] = [`the store has no member in "${source}"`, `Use one of ${[...new Set(regions)].join(', ')}.`];
  return [{path: [...path, 'source'], at: 'value', message, suggestion}];
}
