import {constants} from 'node:fs';
import {access, readFile, stat} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {RegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Fleet} from './fleet.ts';
import type {Env} from './interpolate.ts';
import {isSecretRef} from './references.ts';
import {scrubber} from './scrub.ts';
import type {SecretRef, SecretVault} from './secrets.ts';

/** Where references are resolved: the folder of the fleet file, and the environment. */
export type VaultPlace = {readonly baseDir: string; readonly env: Env};
type Missing = {readonly message: string; readonly suggestion: string};

const LARGEST_BYTES = 64 * 1024;
const EXEC_DEADLINE_MS = 10_000;

/**
 * A vault that reveals secrets at the moment of use. Variables and files are read each time, so that a rotated secret is picked up; a
 * program runs once. `reveal` throws `secret-missing` (exit 78).
 */
export function createVault(place: VaultPlace): SecretVault {
  const scrubbed = scrubber();
  const ran = new Map<string, Promise<string>>();
  return {
    async reveal(ref) {
      const value = ref.source === 'exec' ? await once(ran, ref) : await read(ref, place);
      scrubbed.add(value);
      return value;
    },
    scrub: scrubbed.scrub,
  };
}

/** What keeps a reference from being revealed, without revealing it; null when nothing does. A program is not run for this. */
export async function missingSecret(ref: SecretRef, {baseDir, env}: VaultPlace): Promise<Missing | null> {
  if (ref.source === 'exec') return null;
  if (ref.source === 'env') {
    if (env[ref.name]) return null;
    const message = `the environment variable ${ref.name} is ${env[ref.name] === undefined ? 'not set' : 'empty'} (${ref})`;
    return {message, suggestion: `Set ${ref.name} to the secret.`};
  }
  const file = resolve(baseDir, ref.name);
  const info = await stat(file).catch(() => null);
  if (info === null)
    return {
      message: `there is no file ${ref.name} (${ref})`,
      suggestion: "Write the secret into it; the path is relative to the fleet file's folder.",
    };
  if (!info.isFile())
    return {message: `${ref.name} is not a file (${ref})`, suggestion: 'Name a file that holds the secret and nothing else.'};
  if (info.size === 0 || info.size > LARGEST_BYTES)
    return {message: `the file ${ref.name} has ${info.size} bytes (${ref})`, suggestion: 'Write the secret into it, and nothing else.'};
  const readable = await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
  return readable ? null : {message: `the file ${ref.name} cannot be read (${ref})`, suggestion: 'Give your user the right to read it.'};
}

/** Throws `secret-missing` (exit 78) for the first secret of the fleet that cannot be revealed. loadFleet has done it already. */
export async function checkSecrets(fleet: Fleet, env: Env = process.env): Promise<void> {
  for (const ref of secretsOf(fleet)) {
    const missing = await missingSecret(ref, {baseDir: dirname(fleet.file), env});
    if (missing !== null) throw secretMissing(missing);
  }
}

/** Every secret that the fleet refers to, each once. */
export function secretsOf(fleet: Fleet): readonly SecretRef[] {
  const found = new Map<string, SecretRef>();
  const walk = (value: unknown): void => {
    if (isSecretRef(value)) found.set(String(value), value);
    else if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) walk(child);
  };
  walk([fleet.regions, fleet.stores, fleet.routes, fleet.fault, fleet.notifiers, fleet.handlers, fleet.metrics]);
  return [...found.values()];
}

/** Secret files that other accounts can read, for `doctor` to warn of. `mode` is octal text such as `644`. Nothing on Windows. */
export async function exposedSecretFiles(fleet: Fleet): Promise<readonly {readonly reference: string; readonly mode: string}[]> {
  if (process.platform === 'win32') return [];
  const files = secretsOf(fleet).filter((ref) => ref.source === 'file');
  const checked = files.map(async (ref) => {
    const info = await stat(resolve(dirname(fleet.file), ref.name)).catch(() => null);
    const exposed = info !== null && (info.mode & 0o044) !== 0;
    return exposed ? [{reference: String(ref), mode: (info.mode & 0o777).toString(8)}] : [];
  });
  return (await Promise.all(checked)).flat();
}

async function read(ref: SecretRef, place: VaultPlace): Promise<string> {
  const missing = await missingSecret(ref, place);
  if (missing !== null) throw secretMissing(missing);
  const text = ref.source === 'env' ? (place.env[ref.name] ?? '') : await readSecretFile(ref, place.baseDir);
  return filled(ref, text);
}

async function readSecretFile(ref: SecretRef, baseDir: string): Promise<string> {
  try {
    return (await readFile(resolve(baseDir, ref.name), 'utf8')).replace(/[\r\n]+$/, '');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw secretMissing({
      message: `the file ${ref.name} cannot be read: ${code} (${ref})`,
      suggestion: 'Give your user the right to read it.',
    });
  }
}

function once(ran: Map<string, Promise<string>>, ref: SecretRef): Promise<string> {
  const running = ran.get(ref.name) ?? run(ref);
  ran.set(ref.name, running);
  running.catch(() => ran.delete(ref.name));
  return running;
}

/** What the program printed is the secret, so nothing of it goes into an error, and neither does its error output. */
async function run(ref: SecretRef): Promise<string> {
  const {execa} = await import('execa');
  const [program = '', ...args] = ref.name.split(/ +/);
  const result = await execa(program, args, {timeout: EXEC_DEADLINE_MS, stdin: 'ignore', reject: false, maxBuffer: LARGEST_BYTES});
  if (!result.failed) return filled(ref, result.stdout);
  const why = result.timedOut
    ? `ran longer than ${EXEC_DEADLINE_MS / 1000} s`
    : result.exitCode === undefined
      ? 'could not be run'
      : `ended with exit code ${result.exitCode}`;
  throw secretMissing({message: `the program of ${ref} ${why}`, suggestion: 'Run it by hand: it must print the secret and exit with 0.'});
}

function filled(ref: SecretRef, value: string): string {
  if (value !== '') return value;
  throw secretMissing({message: `${ref} is empty`, suggestion: 'Give it the secret.'});
}

function secretMissing({message, suggestion}: Missing): RegionctlError {
  return new RegionctlError('secret-missing', EXIT.fleetInvalid, message, {suggestions: [suggestion]});
}
