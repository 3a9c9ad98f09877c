import type pg from 'pg';
import type {LabSession} from './lab-session.ts';

/** Clients that change, delete and add rows of `ledger` on a server until they are stopped, so many times a second together. */
export type AuditWriters = {written(): number; stop(): Promise<void>};

/** A table of so many rows on the primary, with values that take some time to hash. */
export async function makeLedger(lab: LabSession, region: string, rows: number): Promise<void> {
  const client = await lab.connect(region, {query_timeout: 60_000});
  try {
    await client.query('create table if not exists ledger (id bigint primary key, account text not null, amount numeric(12,2), note text)');
    await client.query(
      `insert into ledger select g, 'account-' || g % 977, g / 7.0, repeat(md5(g::text), 3) from generate_series(1, $1) g`,
      [rows],
    );
    await client.query('vacuum analyze ledger');
  } finally {
    await client.end();
  }
}

/** Random keys: nearly every chunk is written to while it is read. `perSecond` is kept as far as the server can. */
export async function startWriters(lab: LabSession, region: string, rows: number, perSecond: number): Promise<AuditWriters> {
  const clients = await Promise.all(Array.from({length: 8}, () => lab.connect(region)));
  let [written, stopped, next] = [0, false, rows];
  const one = async (client: pg.Client): Promise<void> => {
    const [key, kind] = [1 + Math.floor(Math.random() * rows), Math.random()];
    if (kind < 0.8) await client.query('update ledger set amount = amount + 1, note = $2 where id = $1', [key, String(kind)]);
    else if (kind < 0.9) await client.query('delete from ledger where id = $1', [key]);
    else await client.query('insert into ledger values ($1, $2, 1, null)', [++next, `new ${next}`]);
    written++;
  };
  const work = clients.map(async (client) => {
    const began = performance.now();
    for (let done = 0; !stopped; done++) {
      await one(client);
      const early = (done * 1000 * clients.length) / perSecond - (performance.now() - began);
      if (early > 2) await new Promise((resolve) => setTimeout(resolve, early));
    }
    await client.end();
  });
  return {
    written: () => written,
    stop: async () => {
      stopped = true;
      await Promise.all(work);
    },
  };
}
