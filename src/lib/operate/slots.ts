import type {ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {verdictExit} from '../health/verdict.ts';
import type {Abilities} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeSlots, needsRate, type SlotCells, type SlotsDocument, type StoreForSlots} from '../replication/slots.ts';
import {unknown} from '../snapshot/cell.ts';
import {askInTime} from './ask-in-time.ts';

export type SlotsOptions = {readonly signal: AbortSignal; readonly store?: string | undefined};

/** Two looks that are so far apart tell how fast the log grows. */
const BETWEEN_MS = 1000;

/**
 * Every slot of every member of every store that keeps log in slots, all asked at the same time. Where a slot has a limit or is not used there is a
 * second look a second later, for the rate. Exit code: that of the worst slot; 0 when there is none.
 */
export async function readSlots(open: OpenFleet, {signal, store}: SlotsOptions): Promise<{document: SlotsDocument; exit: ExitCode}> {
  const asked = open.fleet.stores.flatMap((spec) => {
    const slots = open.stores[spec.name]?.abilities.slots;
    return slots === undefined || (store !== undefined && spec.name !== store) ? [] : [{spec, slots}];
  });
  const stores = await Promise.all(asked.map(({spec, slots}) => readStore(open, {spec, slots, signal})));
  const document = judgeSlots(new Date(open.clock.wall()).toISOString(), stores, store ?? null);
  return {document, exit: verdictExit(document.verdict)};
}

type Asking = {readonly spec: StoreSpec; readonly slots: Abilities['slots']; readonly signal: AbortSignal};

async function readStore(open: OpenFleet, asking: Asking): Promise<StoreForSlots> {
  const {spec, signal} = asking;
  const first = await look(open, asking);
  let second: SlotCells | null = null;
  if (needsRate(first)) {
    await open.clock.sleep(BETWEEN_MS, signal);
    second = await look(open, asking);
  }
  return {store: spec.name, members: spec.members.map(({name}) => name), at: open.clock.wall(), first, second};
}

async function look(open: OpenFleet, {spec, slots, signal}: Asking): Promise<SlotCells> {
  const asked = await askInTime(signal, (own) => slots.slots(own));
  if (asked.ok) return asked.value;
  const at = open.clock.wall();
  return Object.fromEntries(spec.members.map(({name}) => [name, unknown(asked.code, asked.reason, at)]));
}
