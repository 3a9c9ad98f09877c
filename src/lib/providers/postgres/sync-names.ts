/** What a `synchronous_standby_names` setting asks for. `of` holds the names as written; `'*'` = any standby. `need` 0 = nobody. */
export type SyncRule = {readonly method: 'none' | 'any' | 'first'; readonly need: number; readonly of: readonly string[]};

/**
 * Reads every form that PostgreSQL takes: empty, `a, b`, `k (a, b)`, `FIRST k (a, b)`, `ANY k (a, b)`, `*`, and quoted names.
 * Answers null for a text that the server would refuse, so that nobody builds a promise on a guess.
 */
export function parseSyncNames(text: string): SyncRule | null {
  const tokens = tokenize(text);
  if (tokens === null) return null;
  if (tokens.length === 0) return {method: 'none', need: 0, of: []};
  const head = readHead(tokens);
  if (head === null) return null;
  const of = readList(head.list);
  if (of === null) return null;
  // A list without a number is the old form: the first of them that is connected.
  return head.need < 1 ? null : {method: head.method, need: head.need, of};
}

/** The setting for "any `need` of `of`", in the one form that regionctl writes. `need` 0 or nobody to ask = the empty setting. */
export function formatSyncNames(rule: {need: number; of: readonly string[]}): string {
  if (rule.need < 1 || rule.of.length === 0) return '';
  return `ANY ${rule.need} (${rule.of.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')})`;
}

type Token = {readonly kind: 'name' | 'number' | 'sign'; readonly text: string; readonly quoted: boolean};

function tokenize(text: string): Token[] | null {
  const tokens: Token[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"|(\d+)(?![\w$])|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|([(),*]))/y;
  while (text.slice(pattern.lastIndex).trim() !== '') {
    const match = pattern.exec(text);
    if (match === null) return null;
    const [, quoted, number, bare, sign] = match;
    if (quoted !== undefined) tokens.push({kind: 'name', text: quoted.replaceAll('""', '"'), quoted: true});
    else if (number !== undefined) tokens.push({kind: 'number', text: number, quoted: false});
    else if (bare !== undefined) tokens.push({kind: 'name', text: bare, quoted: false});
    else tokens.push({kind: 'sign', text: sign ?? '', quoted: false});
  }
  return tokens;
}

function readHead(tokens: readonly Token[]): {method: 'any' | 'first'; need: number; list: readonly Token[]} | null {
  const [first, second] = tokens;
  const word = first?.kind === 'name' && !first.quoted ? first.text.toLowerCase() : '';
  const isKeyword = (word === 'any' || word === 'first') && second?.kind === 'number';
  if (!isKeyword && first?.kind !== 'number') return {method: 'first', need: 1, list: tokens};
  const rest = tokens.slice(isKeyword ? 2 : 1);
  if (rest[0]?.text !== '(' || rest.at(-1)?.text !== ')' || rest[0].kind !== 'sign') return null;
  return {method: word === 'any' ? 'any' : 'first', need: Number((isKeyword ? second : first)?.text), list: rest.slice(1, -1)};
}

function readList(tokens: readonly Token[]): string[] | null {
  const names: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const isComma = token.kind === 'sign' && token.text === ',';
    if (index % 2 === 1 ? !isComma : isComma) return null;
    if (isComma) continue;
    if (token.kind === 'sign' && token.text !== '*') return null;
    names.push(token.text);
  }
  return names.length === 0 || tokens.length % 2 === 0 ? null : names;
}
