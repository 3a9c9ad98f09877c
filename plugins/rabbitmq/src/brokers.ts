import {resolve} from 'node:path';
import {type Cell, isRegionctlError, known, type MemberPart, messageOf, type ProviderContext, unknown} from 'regionctl/kit';
import {createManagement, type Management} from './management.ts';
import type {MemberConfig, StoreConfig} from './providers.ts';

/** One member: its broker's management API, and where it stands. */
export type Broker = {readonly name: string; readonly region: string; readonly management: Management};

/** The members by name. Nothing is connected to yet. */
export function openBrokers(
  {user, password, ca}: StoreConfig,
  members: readonly MemberPart<MemberConfig>[],
  {secrets, baseDir}: ProviderContext,
): ReadonlyMap<string, Broker> {
  const caFile = ca === undefined ? null : resolve(baseDir, ca);
  return new Map(
    members.map(({name, region, config}) => {
      const management = createManagement({url: config.url, user, password, caFile}, secrets);
      return [name, {name, region, management}];
    }),
  );
}

/** What `ask` answers, or why it does not: never rejects for the state of the world. `who` begins the reason. */
export async function asCell<T>(who: string, now: () => number, ask: () => Promise<T>): Promise<Cell<T>> {
  try {
    return known(await ask(), now(), 'management');
  } catch (error) {
    return unknown(isRegionctlError(error) ? error.code : 'error', `${who}: ${messageOf(error)}`, now());
  }
}
