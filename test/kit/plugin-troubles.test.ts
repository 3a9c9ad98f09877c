import {expect, it} from 'vitest';
import {troublesOf} from '../../src/kit/plugin-troubles.ts';

const link = (name: string) => ({name, type: 'link', root: `/src/${name}`});
const user = (name: string) => ({name, type: 'user'});
/** The form of oclif's warning when a plugin could not be loaded: its detail has the host, not the plugin. */
const load = (message: string, name = 'Error') => ({name: `${name} Plugin: regionctl`, message, detail: 'plugin: regionctl\nroot: /host'});
const GONE = load("ENOENT: no such file or directory, open '/src/b/package.json'");
const NOT_INSTALLED = load("could not find package.json with {\n  name: 'd',\n  root: '/data/package.json',\n  type: 'user'\n}");
const NO_JSON = load("Expected property name or '}' in JSON at position 2 (line 1 column 3)", 'SyntaxError');
const IMPORT = {name: 'Warning', message: 'Error', detail: 'task: findCommand (x:y)\nplugin: a\nroot: /src/a\nmessage: boom'};
const UNRELATED = {name: 'ExperimentalWarning', message: 'SQLite is an experimental feature'};

it('names each plugin by what oclif’s warnings have of it', () => {
  const list = [link('a'), link('b'), link('c'), user('d')];
  const {troubles, others} = troublesOf([IMPORT, NOT_INSTALLED, NO_JSON, GONE, UNRELATED], list, list.slice(1));
  expect(troubles.map(({plugin, why}) => [plugin?.name, why])).toEqual([
    ['a', 'its command "x y" cannot be loaded: boom'],
    ['d', 'it is not installed any more'],
    ['b', '/src/b has no package.json any more'],
    ['c', "its package.json is no JSON: Expected property name or '}' in JSON at position 2 (line 1 column 3)"],
  ]);
  expect(others).toEqual([UNRELATED]);
});

it('says one thing of each plugin, and names none when it cannot tell', () => {
  const {troubles} = troublesOf([IMPORT, IMPORT, NO_JSON], [link('a')], []);
  expect(troubles.map(({plugin}) => plugin?.name ?? null)).toEqual(['a', null]);
});
