import {messageOf} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import {exposedSecretFiles} from '../fleet/vault.ts';
import type {Verdict} from '../health/verdict.ts';
import {observeFenced} from '../observe/observe-fenced.ts';
import {storeNotes} from '../observe/store-notes.ts';
import type {Clock} from '../ports/clock.ts';
import type {Finding} from '../ports/finding.ts';
import type {Store} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {healthFindings} from './health-findings.ts';
import {worstCaseFindings} from './worst-case.ts';

/** What `doctor --json` prints. */
export type DoctorDocument = {readonly fleet: string; readonly file: string; readonly checks: readonly Finding[]};

/** Checks everything that the fleet file names. Reads only. One broken part never hides another. */
export async function examine(open: OpenFleet, signal: AbortSignal): Promise<{document: DoctorDocument; exit: ExitCode}> {
  const {fleet} = open;
  const groups = await Promise.all([
    guarded('secrets', async () => secretFindings(await exposedSecretFiles(fleet))),
    guarded('endpoints', () => healthFindings(open, signal)),
    guarded('state', () => stateFindings(open)),
    ...fleet.routes.map(({name}) => guarded(`route ${name}`, () => routerFindings(open, name, signal))),
    ...fleet.stores.map((spec) => guarded(`store ${spec.name}`, () => storeFindings(spec, open.stores[spec.name], open.clock, signal))),
    guarded('worst case', () => worstCaseFindings(open, signal)),
  ]);
  const checks = [pass('fleet file', `${fleet.file} is valid`), ...promiseFindings(open), ...groups.flat()];
  return {document: {fleet: fleet.name, file: fleet.file, checks}, exit: exitOf(checks)};
}

/** An error is worse than a warning, a warning than something that could not be checked. */
function exitOf(checks: readonly Finding[]): ExitCode {
  const has = (verdict: Finding['verdict']) => checks.some((check) => check.verdict === verdict);
  if (has('error')) return EXIT.critical;
  if (has('warning')) return EXIT.warning;
  return has('unknown') ? EXIT.unknown : EXIT.good;
}

async function guarded(check: string, ask: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await ask();
  } catch (error) {
    return [{check, verdict: 'unknown', says: `could not be checked: ${messageOf(error)}`, fix: null}];
  }
}

/** What the fleet file promises that its own settings cannot keep. */
function promiseFindings({fleet, stores}: Pick<OpenFleet, 'fleet' | 'stores'>): readonly Finding[] {
  return fleet.stores.flatMap((spec) => {
    const rpo = rpoOf(fleet, spec);
    if (rpo === null || rpo.rpoMs > 0 || spec.quorum > 0) return [];
    const promise = `the data class ${rpo.class} allows no loss (RPO 0), but`;
    const [says, fix] =
      stores[spec.name]?.peers === true || stores[spec.name]?.watched === true
        ? [`${promise} no member of ${spec.name} waits for another: losing a region can lose writes`, `give ${rpo.class} an RPO above 0`]
        : [
            `${promise} ${spec.name} is asynchronous (quorum: 0): a failover can lose writes`,
            `set quorum: 1 and synchronous_standby_names on its members, or give ${rpo.class} an RPO above 0`,
          ];
    return [{check: `store ${spec.name}`, verdict: 'error' as const, says, fix}];
  });
}

function secretFindings(exposed: readonly {readonly reference: string; readonly mode: string}[]): readonly Finding[] {
  if (exposed.length === 0) return [pass('secrets', 'every secret can be read')];
  return exposed.map(({reference, mode}) => ({
    check: 'secrets',
    verdict: 'warning',
    says: `${reference} can be read by others (mode ${mode})`,
    fix: 'chmod 600 the file',
  }));
}

async function stateFindings(open: OpenFleet): Promise<readonly Finding[]> {
  try {
    const state = await open.state();
    state.remember('doctor', open.clock.wall());
    return [pass('state', `${open.stateDir} can be written`)];
  } catch (error) {
    return [
      {
        check: 'state',
        verdict: 'error',
        says: messageOf(error),
        fix: 'free the disk or mend the permissions of this directory: without state nothing can be run',
      },
    ];
  }
}

async function routerFindings(open: OpenFleet, name: string, signal: AbortSignal): Promise<readonly Finding[]> {
  const router = open.routers[name];
  if (router === undefined) return [];
  const weights = await router.read(signal);
  return [
    pass(
      `route ${name}`,
      `answers: ${Object.entries(weights)
        .map(([region, weight]) => `${region} ${weight}`)
        .join(', ')}`,
    ),
  ];
}

async function storeFindings(spec: StoreSpec, store: Store | undefined, clock: Clock, signal: AbortSignal): Promise<readonly Finding[]> {
  if (store === undefined) return [];
  const [ack, settings, members, overseers] = await Promise.all([
    store.ackRule(signal),
    store.abilities.inspect?.inspect(signal) ?? [],
    observeFenced(store, clock, signal),
    store.abilities.overseers?.overseers(signal) ?? [],
  ]);
  const {peers, watched: isWatched, manager} = store;
  const own = {
    ...(peers === undefined ? {} : {peers}),
    ...(isWatched === undefined ? {} : {watched: isWatched}),
    ...(manager === undefined ? {} : {manager}),
  };
  const standing = storeNotes(spec, {engine: spec.engine, ...own, ack, members});
  const allSeen = spec.members.every(({name}) => members[name]?.known === true);
  const check = `store ${spec.name}`;
  const watched = store.watched === true;
  const inspected = [
    ...settings,
    ...overseers,
    ...(watched ? [pass(check, 'watched only: Sentinel (or whoever runs it) moves it, and no plan does')] : []),
    ...standing.notes.map((says) => standingFinding(spec, {...standing, allSeen, watched}, says)),
  ];
  if (!ack.known) return [...inspected, {check, verdict: 'unknown', says: `who must acknowledge is not known: ${ack.reason}`, fix: null}];
  if (ack.value.need >= spec.quorum)
    return [
      ...inspected,
      pass(
        check,
        spec.quorum === 0 ? 'asynchronous, as the fleet file says' : `a write waits for ${ack.value.need} of ${ack.value.of.join(', ')}`,
      ),
    ];
  const says = `the fleet file says quorum: ${spec.quorum}, but the primary acknowledges ${ack.value.need === 0 ? 'alone' : `with ${ack.value.need}`}`;
  return [
    ...inspected,
    {check, verdict: 'error', says, fix: 'set synchronous_standby_names on every member, or lower quorum in the fleet file'},
  ];
}

type Standing = {readonly verdict: Verdict; readonly allSeen: boolean; readonly watched: boolean};

/** Split brain and a missing primary are errors; a member that could not be read is not known to be well. */
function standingFinding(spec: StoreSpec, {verdict, allSeen, watched}: Standing, says: string): Finding {
  const grave = verdict === 'unhealthy';
  return {
    check: `store ${spec.name}`,
    verdict: grave ? 'error' : allSeen ? 'warning' : 'unknown',
    says,
    fix: grave ? `see regionctl status; ${watched ? 'whoever runs it has to mend it' : 'failback closes a stale primary'}` : null,
  };
}

function pass(check: string, says: string): Finding {
  return {check, verdict: 'pass', says, fix: null};
}
