import type {SecretRef} from './secrets.ts';

/** Stands in for a text with references while the schemas are asked which fields are secrets. Never reaches a provider. */
export const UNRESOLVED = '\u0000reference';

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TOKEN = /\$\$\{|\$\{([^}]*)\}|\$\{/g;

/**
 * Reads `${env:NAME}`, `${file:path}` or `${exec:prog arg}`, which must be the whole text. Null when it is anything else.
 */
export function parseReference(text: string): SecretRef | null {
  const [, source, name = ''] = /^\$\{(env|file|exec):([^{}]+)\}$/.exec(text) ?? [];
  if (source === undefined || name.trim() !== name) return null;
  if (source === 'env') return ENV_NAME.test(name) ? secretReference('env', name) : null;
  return secretReference(source === 'file' ? 'file' : 'exec', name);
}

/** A secret by reference. It prints, serializes and inspects as the reference. */
export function secretReference(source: SecretRef['source'], name: string): SecretRef {
  const text = `\${${source}:${name}}`;
  const same = {value: () => text};
  return Object.defineProperties({source, name} as SecretRef, {
    toString: same,
    toJSON: same,
    [Symbol.for('nodejs.util.inspect.custom')]: same,
  });
}

/** Whether a parsed value is a secret reference. */
export function isSecretRef(value: unknown): value is SecretRef {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'toJSON')) return false;
  return parseReference(String(value)) !== null;
}

/** What became of the references in an ordinary text: the text, or what is wrong with it. `used` are the names of the variables. */
export type Expansion =
  | {readonly ok: true; readonly text: string; readonly used: readonly string[]}
  | {readonly ok: false; readonly message: string; readonly suggestion: string};

/** Puts the values of `${env:NAME}` into an ordinary text. `$${` stands for a plain `${`. Files and commands are for secret fields only. */
export function expand(text: string, env: Readonly<Record<string, string | undefined>>): Expansion {
  const used: string[] = [];
  let failure: Expansion | null = null;
  const result = text.replace(TOKEN, (token, inner: string | undefined) => {
    if (token.startsWith('$$')) return token.slice(1);
    const name = envNameOf(inner);
    const value = name === null ? undefined : env[name];
    if (name === null) failure ??= malformed(token, inner);
    else if (value === undefined || value === '') failure ??= missing(name, value);
    else used.push(name);
    return value ?? '';
  });
  return failure ?? {ok: true, text: result, used};
}

function envNameOf(inner: string | undefined): string | null {
  const name = inner?.startsWith('env:') ? inner.slice(4) : '';
  return ENV_NAME.test(name) ? name : null;
}

function malformed(token: string, inner: string | undefined): Expansion {
  if (inner !== undefined && /^(file|exec):./.test(inner)) {
    const source = inner.slice(0, 4);
    return {
      ok: false,
      message: `\${${source}:…} stands only in fields that hold a secret`,
      suggestion: `Use \${env:NAME} here, or write the value.`,
    };
  }
  const message = inner === undefined ? `a reference that begins with \${ has no closing }` : `malformed reference ${token}`;
  return {ok: false, message, suggestion: `Write \${env:NAME}; for a plain "\${" write "$\${".`};
}

function missing(name: string, value: string | undefined): Expansion {
  const state = value === undefined ? 'not set' : 'empty';
  return {ok: false, message: `the environment variable ${name} is ${state}`, suggestion: `Set ${name}, or write the value in the file.`};
}
