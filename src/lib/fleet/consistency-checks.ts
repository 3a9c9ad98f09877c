import {repeated, unknownName} from './name-checks.ts';
import type {Finding, Path} from './problem.ts';
import type {FleetFile} from './schema.ts';

type Store = FleetFile['stores'][string];
type Rule = Store['consistency']['tables'][string];

/** Cross checks of what is audited: policies with what they need, regions and hooks that are there, no table both named and left out. */
export function checkConsistency(file: FleetFile, {consistency}: Store, path: Path): readonly Finding[] {
  const {only, ignore, tables} = consistency;
  return [
    ...repeated(only ?? [], [...path, 'only']),
    ...repeated(ignore, [...path, 'ignore']),
    ...ignore.flatMap((table, index): readonly Finding[] =>
      only?.includes(table) === true
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
    ...Object.entries(tables).flatMap(([table, rule]) => checkRule(file, rule, [...path, 'tables', table])),
  ];
}

function checkRule(file: FleetFile, rule: Rule, path: Path): readonly Finding[] {
  return [...checkNeeds(rule, path), ...checkNames(file, rule, path)];
}

/** `source` belongs to the policy source, `handler` to the policy handler, and neither to another. */
function checkNeeds({policy, source, handler}: Rule, path: Path): readonly Finding[] {
  const needs = [
    ['source', source, 'the region whose version is taken'],
    ['handler', handler, 'the hook that is asked'],
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
  const [regions, hooks] = [Object.keys(file.regions), Object.keys(file.hooks)];
  return [
    ...(source === null || regions.includes(source) ? [] : [unknownName(source, regions, 'region', [...path, 'source'], 'value')]),
    ...(handler === null || hooks.includes(handler) ? [] : [unknownName(handler, hooks, 'hook', [...path, 'handler'], 'value')]),
  ];
}
