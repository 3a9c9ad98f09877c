/** The address of a server as replication reaches it. */
export type Address = {readonly host: string; readonly port: number};

/** `host:port` for messages. */
export const addressText = ({host, port}: Address): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** A libpq connection string out of its parts, quoted so that no value can be read as another keyword. Empty values are left out. */
export function buildConninfo(parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${quoteValue(value)}`)
    .join(' ');
}

/**
 * The keywords of a libpq connection string (keyword=value form, quotes and backslashes as libpq reads them).
 * What comes after a broken quote is dropped: a standby with such a setting has no upstream either.
 */
export function parseConninfo(text: string): Readonly<Record<string, string>> {
  const parts: Record<string, string> = {};
  const pattern = /\s*([A-Za-z_][\w]*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    parts[match[1] ?? ''] = (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1');
  }
  return parts;
}

/** Where a connection string leads; null when it names no host or several. */
export function addressOf(conninfo: string): Address | null {
  const {host, port} = parseConninfo(conninfo);
  if (host === undefined || host === '' || host.includes(',')) return null;
  const number = Number(port ?? 5432);
  return Number.isInteger(number) ? {host, port: number} : null;
}

const quoteValue = (value: string): string =>
  /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
