/** Why a server did not answer a command: a stable code, and half a sentence that follows its address. */
export type Refusal = {readonly code: string; readonly says: string};

const BY_WORD: Readonly<Record<string, Refusal>> = {
  WRONGPASS: {code: 'auth', says: 'refuses the login: wrong user or password'},
  NOAUTH: {code: 'auth', says: 'wants a login: give user and password'},
  DENIED: {code: 'auth', says: 'lets nobody in from here: it has no password and is in protected mode'},
  NOPERM: {code: 'privilege', says: 'does not let this user ask'},
  LOADING: {code: 'starting', says: 'is loading its data'},
  MASTERDOWN: {code: 'stale', says: 'has no link to its primary and answers nothing until it has one'},
  BUSY: {code: 'busy', says: 'is busy with a script and answers nothing else'},
};

/** Errors that begin with no word of their own. */
const BY_TEXT: readonly (readonly [RegExp, Refusal])[] = [
  [/max number of clients/, {code: 'exhausted', says: 'has no free connection'}],
  [/without any password configured/, {code: 'auth', says: 'has no password, and one is given: whoever reaches it may do anything'}],
  [/invalid password/, {code: 'auth', says: 'refuses the login: wrong password'}],
  [/wrong number of arguments for 'auth'/i, {code: 'auth', says: 'knows no users: leave user out'}],
];

/** Of what a server says no more than this is shown. */
const SHOWN = 100;

/**
 * Names an error that a server answered with. What it said to a login is not shown: a server that does not know AUTH repeats what it was given.
 * `scrub` takes secrets out of anything else. `asked` is the command, such as INFO.
 */
export function refusalOf(text: string, asked: string, scrub: (text: string) => string): Refusal {
  const [word = ''] = /^[A-Z]+\b/.exec(text) ?? [];
  const known = Object.hasOwn(BY_WORD, word) ? BY_WORD[word] : BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  if (known !== undefined) {
    const says = known.code === 'privilege' ? `${known.says} ${asked}` : known.says;
    return {code: known.code, says: word === 'ERR' ? says : `${says} (${word})`};
  }
  if (asked === 'AUTH') return {code: 'auth', says: 'refuses the login'};
  return {code: 'error', says: `answered ${asked} with an error: ${oneLine(scrub(text))}`};
}

function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
