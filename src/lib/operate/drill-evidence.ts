import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, readdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {EvidenceRow} from '../drill/report.ts';
import {messageOf} from '../errors.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Conducted} from './conduct.ts';

/** What was kept of a drill, and what could not be, one sentence each. */
export type Evidence = {readonly rows: readonly EvidenceRow[]; readonly troubles: readonly string[]};

/** Keeps what the drill's file asks for in `<state>/drills/<run>`, each file with its digest. What cannot be kept is told, and costs nothing else. */
export async function keepEvidence(open: OpenFleet, {plan, events}: Conducted, signal: AbortSignal): Promise<Evidence> {
  const wanted = new Set(plan.drillSpec?.evidence ?? []);
  const dir = join(open.stateDir, 'drills', plan.id);
  const logs = join(open.stateDir, 'witness');
  const troubles: string[] = [];
  const attempt = async <T>(what: string, work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      troubles.push(`${what} could not be kept: ${messageOf(error)}`);
      return otherwise;
    }
  };
  const write = (name: string, text: string) =>
    attempt(
      name,
      async () => {
        await mkdir(dir, {recursive: true, mode: 0o700});
        await writeFile(join(dir, name), text, {mode: 0o600});
        return [join(dir, name)];
      },
      [] as string[],
    );
  const files: string[] = [];
  if (wanted.has('journal')) {
    files.push(...(await write('plan.json', `${JSON.stringify(plan, null, 1)}\n`)));
    files.push(...(await write('journal.ndjson', `${events.map((event) => JSON.stringify(event)).join('\n')}\n`)));
  }
  if (wanted.has('snapshots')) {
    files.push(...(await write('snapshot-before.json', `${JSON.stringify(plan.snapshot, null, 1)}\n`)));
    const after = await attempt(
      'the picture after the drill',
      async () => (await observeFleet({...open, signal, vantage: 'here'})).snapshot,
      null,
    );
    if (after !== null) files.push(...(await write('snapshot-after.json', `${JSON.stringify(after, null, 1)}\n`)));
  }
  const names = await readdir(logs).catch(() => [] as string[]);
  const ours = names.filter((name) => name.startsWith(`${plan.id}.`) && name.endsWith('.ndjson'));
  files.push(...ours.filter((name) => wanted.has(name.endsWith('.load.ndjson') ? 'load' : 'witness')).map((name) => join(logs, name)));
  const rows = await Promise.all(files.map((file) => attempt(file, () => rowOf(file, plan.id), null)));
  return {rows: rows.flatMap((row) => row ?? []), troubles};
}

async function rowOf(file: string, runId: string): Promise<EvidenceRow> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const name = file.slice(file.lastIndexOf('/') + 1).replace(`${runId}.`, '');
  return {name, file, bytes: (await stat(file)).size, sha256: hash.digest('hex')};
}
