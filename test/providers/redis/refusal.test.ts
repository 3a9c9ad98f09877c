import {expect, it} from 'vitest';
import {refusalOf} from '../../../src/lib/providers/redis/refusal.ts';

const scrub = (text: string): string => text.replaceAll('s3cret', '•••');

it.each([
  [
    'AUTH',
    'WRONGPASS invalid username-password pair or user is disabled.',
    'auth',
    'refuses the login: wrong user or password (WRONGPASS)',
  ],
  ['AUTH', 'ERR invalid password', 'auth', 'refuses the login: wrong password'],
  ['AUTH', "ERR wrong number of arguments for 'auth' command", 'auth', 'knows no users: leave user out'],
  ['AUTH', "ERR unknown command 'AUTH', with args beginning with: 's3cret' ", 'auth', 'refuses the login'],
  ['AUTH', 'ERR max number of clients reached', 'exhausted', 'has no free connection'],
  ['AUTH', 'LOADING Redis is loading the dataset in memory', 'starting', 'is loading its data (LOADING)'],
  ['INFO', 'NOAUTH Authentication required.', 'auth', 'wants a login: give user and password (NOAUTH)'],
  [
    'INFO',
    'DENIED Redis is running in protected mode because protected mode is enabled',
    'auth',
    'lets nobody in from here: it has no password and is in protected mode (DENIED)',
  ],
  ['INFO', "NOPERM User probe has no permissions to run the 'info' command", 'privilege', 'does not let this user ask INFO (NOPERM)'],
  ['INFO', 'BUSY Redis is busy running a script.', 'busy', 'is busy with a script and answers nothing else (BUSY)'],
  ['INFO', "ERR unknown command 'INFO'", 'error', "answered INFO with an error: ERR unknown command 'INFO'"],
  ['INFO', 'constructor of\tsomething s3cret', 'error', 'answered INFO with an error: constructor of something •••'],
  ['INFO', `ERR ${'x'.repeat(200)}`, 'error', `answered INFO with an error: ERR ${'x'.repeat(96)}…`],
] as const)('%s answered with %s', (asked, text, code, says) => {
  expect(refusalOf(text, asked, scrub)).toEqual({code, says});
});
