import {dirname, resolve} from 'node:path';
import {buildFleet} from './build.ts';
import {crossChecks} from './cross-checks.ts';
import {readFleetText, textDigestOf} from './find.ts';
import type {Fleet} from './fleet.ts';
import {type Env, interpolate} from './interpolate.ts';
import type {ProviderKinds} from './kinds.ts';
import {discoverSecrets, parseParts, partsOf} from './parts.ts';
import {type Finding, ordered, type Path, type Problem, problemsError, valueAt} from './problem.ts';
import {parseReference} from './references.ts';
import {fileSchema} from './schema.ts';
import {parseSource, type Source} from './source.ts';
import {createVault, missingSecret} from './vault.ts';
import {checkWitnessStores} from './witness-checks.ts';
import {check} from './wording.ts';

/**
 * Reads and checks a fleet file. Throws one RegionctlError: `fleet-missing` (66), `fleet-invalid` (78) with the first problem and how many
 * more there are, or `secret-missing` (78) when the file is good but a variable or file that it refers to is not there.
 */
export async function loadFleet(file: string, kinds: ProviderKinds, env: Env = process.env): Promise<Fleet> {
  const {fleet, problems} = await examine(resolve(file), kinds, env);
  if (fleet === null || problems.length > 0) throw problemsError(resolve(file), problems, process.cwd());
  return fleet;
}

/** Everything that is wrong with a fleet file, in its order; empty when it loads. Throws only `fleet-missing`. */
export async function fleetProblems(file: string, kinds: ProviderKinds, env: Env = process.env): Promise<readonly Problem[]> {
  return (await examine(resolve(file), kinds, env)).problems;
}

async function examine(file: string, kinds: ProviderKinds, env: Env): Promise<{fleet: Fleet | null; problems: readonly Problem[]}> {
  const text = await readFleetText(file);
  if (typeof text !== 'string') return {fleet: null, problems: [text]};
  const {source, problems} = parseSource(text);
  if (source === null) return {fleet: null, problems};
  const {findings, fleet, secrets} = examineData(source, file, kinds, env);
  const placed = ordered(findings.map(source.place));
  if (fleet === null || placed.length > 0) return {fleet: null, problems: placed};
  const whole = {...fleet, textDigest: textDigestOf(text)};
  return {fleet: whole, problems: ordered((await missingSecrets(source, secrets, dirname(file), env)).map(source.place))};
}

/** The checks that need no disk: references, the shape, each provider's part, then what binds the parts together. */
function examineData({raw}: Source, file: string, kinds: ProviderKinds, env: Env) {
  const {places, findings: unknownKinds} = partsOf(raw, kinds);
  const secrets = discoverSecrets(raw, places);
  const {values, findings: references, used} = interpolate(raw, env, secrets);
  const shape = check(fileSchema, values, {path: [], raw});
  const parts = parseParts(values, raw, places);
  const cross = shape.data === undefined ? [] : crossChecks(shape.data);
  const witness = shape.data === undefined ? [] : checkWitnessStores(shape.data, kinds, parts.configs);
  const all = [...references, ...unknownKinds, ...shape.findings, ...parts.findings, ...cross, ...witness];
  const findings = all.map((one) => unresolved(one, used));
  const good = findings.length === 0 && shape.data !== undefined;
  const vault = createVault({baseDir: dirname(file), env});
  return {findings, secrets, fleet: good ? buildFleet({file, parsed: shape.data, values, configs: parts.configs, secrets: vault}) : null};
}

async function missingSecrets(source: Source, places: readonly Path[], baseDir: string, env: Env): Promise<readonly Finding[]> {
  const checked = places.map(async (path): Promise<readonly Finding[]> => {
    const ref = parseReference(String(valueAt(source.raw, path)));
    const missing = ref === null ? null : await missingSecret(ref, {baseDir, env});
    return missing === null ? [] : [{path, at: 'value', code: 'secret-missing', ...missing}];
  });
  return (await Promise.all(checked)).flat();
}

/** A message shows `${env:NAME}` in place of what the variable holds: a variable in an ordinary text may still be confidential. */
function unresolved(finding: Finding, used: ReadonlyMap<string, string>): Finding {
  const hide = (text: string) =>
    [...used].reduce((shown, [name, value]) => (value.length < 4 ? shown : shown.replaceAll(value, () => `\${env:${name}}`)), text);
  return {...finding, message: hide(finding.message), suggestion: hide(finding.suggestion)};
}
