import {messageOf, stateError, unavailable, usageError} from '../lib/errors.ts';

type Rule = {readonly when: RegExp; readonly make: (match: RegExpExecArray, npmSaid: readonly string[]) => Error};

const RULES: readonly Rule[] = [
  {
    when: /\b(EACCES|EPERM|EROFS|ENOSPC|EDQUOT)\b.*/u,
    make: ([what]) => stateError('plugins-not-written', `the data folder of plugins cannot be written: ${what}`),
  },
  {when: / exited with code \d+$/u, make: (_, said) => unavailable('npm-failed', `npm failed: ${reasonOf(said)}`)},
  {
    when: /^(\S+) does not exist in the registry\.$/u,
    make: ([, name]) => unavailable('plugin-not-found', `the registry has no package ${name}, or does not answer`),
  },
  {when: /^could not find package\.json with [\s\S]*?root: '(.*)'/u, make: ([, root]) => usageError(`${root} has no package.json`)},
  {when: /^ENOENT: .* open '(.*package\.json)'/u, make: ([, file]) => usageError(`there is no ${file}`)},
  {when: /^plugin is invalid$/u, make: () => usageError('it is no plugin: its package.json has no "oclif"')},
  {when: /in JSON at position/u, make: ({input}) => usageError(`its package.json is no JSON: ${input}`)},
  {
    when: /^(.*?) (?:is )?not installed$/u,
    make: ([, name]) => usageError(`the plugin ${name} is not installed`, {suggestions: ['regionctl plugins']}),
  },
];

/**
 * What oclif's own commands throw, as the errors of this program: most are plain errors there, and would be taken for a bug. `npmSaid` is what
 * npm printed. An error that is not known comes back as it is.
 */
export function inHouseWords(error: Error, npmSaid: readonly string[]): Error {
  const message = messageOf(error);
  for (const {when, make} of RULES) {
    const match = when.exec(message);
    if (match !== null) return make(match, npmSaid);
  }
  return error;
}

/** The line of npm's that says most, without what only npm's authors read. */
function reasonOf(said: readonly string[]): string {
  const lines = said
    .join('\n')
    .split('\n')
    .filter((line) => /^npm error /u.test(line))
    .map((line) => line.slice('npm error '.length).replace(/^(\d{3}|network) /u, ''));
  return lines.find((line) => !/^(code|errno|syscall|path|dest|A complete log)\b/u.test(line)) ?? 'it gave no reason; try --verbose';
}
