import {join} from 'node:path';
import type {NodeWarning} from './node-warnings.ts';

/** A plugin as oclif keeps it in the package.json of the data folder. */
export type Listed = {readonly name: string; readonly type?: string | undefined; readonly root?: string | undefined};

/** What is wrong with a plugin of the user. `plugin` null = it cannot be said which one it is. */
export type Trouble = {readonly plugin: Listed | null; readonly why: string};

/**
 * Reads out of oclif's warnings which plugin has which trouble, one for each: its messages have the plugin in the detail, in a path, or not at
 * all. `missing` are those of the list that were not loaded. Warnings that are not about plugins come back as `others`.
 */
export function troublesOf(
  warnings: readonly NodeWarning[],
  list: readonly Listed[],
  missing: readonly Listed[],
): {readonly troubles: readonly Trouble[]; readonly others: readonly NodeWarning[]} {
  const troubles: Trouble[] = [];
  const others: NodeWarning[] = [];
  const unnamed: NodeWarning[] = [];
  for (const warning of warnings) {
    const plugin = named(warning, list) ?? missing.find((each) => tellsOf(warning, each));
    if (plugin !== undefined) troubles.push({plugin, why: whyOf(warning)});
    else if (/ Plugin: \S+$/u.test(warning.name)) unnamed.push(warning);
    else others.push(warning);
  }
  // A package.json that is no JSON is told of without its path: it belongs to one that is missing without a reason.
  const left = missing.filter((each) => !troubles.some(({plugin}) => plugin === each));
  for (const [index, warning] of unnamed.entries()) troubles.push({plugin: left[index] ?? null, why: whyOf(warning)});
  return {troubles: troubles.filter(isFirst), others};
}

function named({message, detail = ''}: NodeWarning, list: readonly Listed[]): Listed | undefined {
  const name = /^plugin: (.+)$/mu.exec(detail)?.[1] ?? '';
  return list.find((each) => each.name === name) ?? list.find((each) => message.startsWith(`Mismatched version in ${each.name} plugin`));
}

function tellsOf({message}: NodeWarning, {name, root}: Listed): boolean {
  return root === undefined ? message.includes(`name: '${name}'`) : message.includes(join(root, 'package.json'));
}

function whyOf({message, detail = ''}: NodeWarning): string {
  const command = /^task: findCommand \((.+)\)$/mu.exec(detail)?.[1]?.replaceAll(':', ' ');
  const said = /^message: (.+)$/mu.exec(detail)?.[1] ?? message;
  const [, gone] = /^ENOENT: .* open '(.*)[/\\]package\.json'$/u.exec(said) ?? [];
  const versions = /Expected: (\S+) Received: (\S+)/u.exec(message);
  if (versions !== null) return `its oclif.manifest.json is of version ${versions[2]}, its package.json of ${versions[1]}`;
  if (gone !== undefined) return `${gone} has no package.json any more`;
  if (said.startsWith('could not find package.json')) return 'it is not installed any more';
  if (command !== undefined)
    return `its command "${command}" cannot be loaded: ${said.endsWith(' not found') ? 'its file exports no command' : said}`;
  return /in JSON at position/u.test(said) ? `its package.json is no JSON: ${said}` : said;
}

function isFirst({plugin}: Trouble, index: number, all: readonly Trouble[]): boolean {
  return plugin === null || all.findIndex((each) => each.plugin === plugin) === index;
}
