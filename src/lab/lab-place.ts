import {randomBytes} from 'node:crypto';
import {mkdir, readdir, readFile, statfs, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type LabProfile, memoryRootOf} from './record.ts';

const MEMORY = '/dev/shm';
const MEMORY_NEEDED = 512 * 1024 * 1024;

/** The folder for the regions' data: in memory for the fast profile where there is room, else below `dir`. */
export async function chooseDataRoot(dir: string, profile: LabProfile): Promise<string> {
  if (profile === 'stock') return join(dir, 'data');
  const room = await statfs(MEMORY).catch(() => null);
  const TMPFS = 0x01021994;
  const fits = room !== null && room.type === TMPFS && room.bavail * room.bsize >= MEMORY_NEEDED;
  return fits ? memoryRootOf(dir) : join(dir, 'data');
}

/** Makes the lab's folder, which must not exist or be empty. Throws with what is in the way. */
export async function makeLabDir(dir: string): Promise<void> {
  await mkdir(dir, {recursive: true, mode: 0o755});
  const [found] = await readdir(dir);
  if (found !== undefined) throw new Error(`${dir} is not empty (it holds "${found}")`);
}

/** Passwords of the roles and the token of the lab's own interfaces, one file each, readable by the owner only. */
export async function makeSecrets(dir: string) {
  const folder = join(dir, 'secrets');
  await mkdir(folder, {mode: 0o700});
  const secrets = {regionctl: random(), replicator: random(), app: random(), control: random()};
  for (const [name, value] of Object.entries(secrets)) await writeFile(join(folder, name), value, {mode: 0o600});
  return secrets;
}

/** A secret of the lab in `dir`, such as `control`. */
export async function readSecret(dir: string, name: 'control' | 'regionctl'): Promise<string> {
  return (await readFile(join(dir, 'secrets', name), 'utf8')).trim();
}

const random = () => randomBytes(24).toString('base64url');
