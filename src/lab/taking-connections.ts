import {setTimeout as sleep} from 'node:timers/promises';
import type {PostgresServer} from './postgres-server.ts';

/** Waits until the server lets somebody in or has ended, or for `deadlineMs`. Any answer but "not now" counts: the server is alive. */
export async function takesConnectionsOrEnded(server: PostgresServer, password: string, deadlineMs: number): Promise<void> {
  for (const end = performance.now() + deadlineMs; server.running && performance.now() < end; await sleep(10)) {
    if (await answers(server.port, password)) return;
  }
}

async function answers(port: number, password: string): Promise<boolean> {
  const {default: pg} = await import('pg');
  const login = {host: '127.0.0.1', port, user: 'regionctl', password, database: 'orders', connectionTimeoutMillis: 1000};
  const client = new pg.Client(login);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // No SQLSTATE begins with E, but the names of network errors do.
    return /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) && !code.startsWith('57P');
  } finally {
    await client.end().catch(() => undefined);
  }
}
