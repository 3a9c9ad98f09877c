import {createHash} from 'node:crypto';
import {access, readFile, stat} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import {RegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Problem} from './problem.ts';

/* Apart from what checks the file: a command that needs no more than its name must not load every schema. */

/** The name that the fleet file has unless `--fleet` names another. */
export const FLEET_FILE = 'regionctl.yaml';
const LARGEST_BYTES = 1024 * 1024;

/** The absolute path of the fleet file: `explicit`, else `regionctl.yaml` in `startDir` or above. Throws `fleet-missing` (66). */
export async function findFleetFile(startDir: string, explicit?: string): Promise<string> {
  if (explicit !== undefined) {
    const file = resolve(startDir, explicit);
    if (await exists(file)) return file;
    throw fleetMissing(`there is no fleet file ${explicit}`);
  }
  for (let dir = resolve(startDir); ; dir = dirname(dir)) {
    if (await exists(join(dir, FLEET_FILE))) return join(dir, FLEET_FILE);
    if (dirname(dir) === dir) throw fleetMissing(`no ${FLEET_FILE} here or in a folder above`);
  }
}

/** The text of a fleet file; what keeps it from being read is a problem. Throws `fleet-missing`. */
export async function readFleetText(file: string): Promise<string | Problem> {
  const broken = (message: string, suggestion: string): Problem => ({
    code: 'fleet-invalid',
    path: [],
    line: 1,
    column: 1,
    message,
    suggestion,
  });
  const info = await stat(file).catch(() => null);
  if (info === null) throw fleetMissing(`there is no fleet file ${file}`);
  if (!info.isFile()) return broken('not a regular file', 'Name a YAML file with --fleet.');
  if (info.size > LARGEST_BYTES)
    return broken(`${info.size} bytes are too many for a fleet file; at most ${LARGEST_BYTES}`, 'Name the right file with --fleet.');
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
  if (bytes instanceof Error) return broken(`cannot be read (${bytes.code})`, 'Give your user the right to read it.');
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    return broken('not UTF-8 text', 'Save the file as UTF-8.');
  }
}

/** By which a fleet file is known to be the same one, without being understood. */
export function textDigestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function fleetMissing(message: string): RegionctlError {
  return new RegionctlError('fleet-missing', EXIT.noFleet, message, {
    suggestions: ['Write one: regionctl init', 'Or name one: --fleet FILE, or the variable REGIONCTL_FLEET'],
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
