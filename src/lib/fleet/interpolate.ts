import type {Finding, Path} from './problem.ts';
import {expand} from './references.ts';

/** The environment that references are read from. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The file with `${env:NAME}` replaced in ordinary texts. Fields that hold a secret keep their reference: `secrets` are their paths.
 * `used` has the value of each variable that went into the file, so that messages can show its name instead.
 */
export function interpolate(raw: unknown, env: Env, secrets: readonly Path[]) {
  const kept = new Set(secrets.map((path) => JSON.stringify(path)));
  const findings: Finding[] = [];
  const used = new Map<string, string>();
  const walk = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, walk(child, [...path, key])]));
    }
    if (typeof value !== 'string' || !value.includes('${') || kept.has(JSON.stringify(path))) return value;
    const result = expand(value, env);
    if (!result.ok) {
      findings.push({path, at: 'value', message: result.message, suggestion: result.suggestion});
      return value;
    }
    for (const name of result.used) used.set(name, env[name] ?? '');
    return result.text;
  };
  const values = walk(raw, []);
  return {values, findings: findings as readonly Finding[], used: used as ReadonlyMap<string, string>};
}
