import type {Abilities, SlotReading} from '../../ports/store.ts';
import {known} from '../../snapshot/cell.ts';
import {type Cluster, nodeOf} from './cluster.ts';
import {primariesOf, upstreamOf} from './facts.ts';
import {factsOf, isSameName, type Reading, type Readings, readingOf, readMembers, type Slot} from './reading.ts';

/**
 * Every slot of every member, also what nobody uses any more. `copies`: who runs the store keeps the primary's slots on its standbys under the same names,
 * and drops what it does not know; elsewhere such a slot may as well be left over from when the standby was the primary.
 */
export function createSlots(cluster: Cluster, {copies = false}: {readonly copies?: boolean} = {}): Abilities['slots'] {
  return {
    slots: async (signal) => {
      const readings = await readMembers(cluster, signal);
      const cells = Object.entries(readings).map(([member, cell]) => {
        if (!cell.known) return [member, cell] as const;
        const slots = cell.value.slots.map((slot): SlotReading => {
          const original = copyOf({cluster, readings, member, copies}, slot);
          const reading = toSlotReading(slot, keptFor(cluster, readings, member, slot), cell.value, cell.at);
          return original === null ? reading : {...reading, copyOf: original};
        });
        return [member, known(slots, cell.at, cell.via)] as const;
      });
      return Object.fromEntries(cells);
    },
  };
}

/** A slot as the port has it. `at` = when its member was read. */
export function toSlotReading(slot: Slot, keptFor: string | null, {facts}: Reading, at: number): SlotReading {
  const {name, kind, database, active, temporary, retainedBytes, safeBytes, status, invalidated, inactiveSeconds} = slot;
  return {
    ...{name, kind, keptFor, database, active, temporary, status, invalidated, inactiveSeconds},
    retainedBytes,
    safeBytes: safeBytes === null || status === 'lost' ? null : Math.max(0, safeBytes),
    end: facts.durable,
    at,
  };
}

/** By who reads it now; else by who is set to, as far as they were read. */
function keptFor(cluster: Cluster, readings: Readings, member: string, slot: Slot): string | null {
  const names = [...cluster.nodes.keys()];
  const others = names.filter((name) => name !== member);
  const reads = readingOf(readings, member)?.senders.find(({pid}) => pid === slot.pid && slot.pid !== null);
  if (reads !== undefined && slot.kind === 'physical') {
    const byName = others.find((name) => isSameName(name, reads.application));
    if (byName !== undefined) return byName;
  }
  const isSet = (name: string): boolean => {
    const reading = readingOf(readings, name);
    if (reading === null) return false;
    if (slot.kind === 'logical') return reading.subscriptions.some((subscription) => subscription.slot === slot.name);
    const {facts} = reading;
    return facts.recovering && facts.slotName === slot.name && upstreamOf(cluster, nodeOf(cluster, name), facts) === member;
  };
  const [found, second] = others.filter(isSet);
  return second === undefined ? (found ?? null) : null;
}

type Keeper = {readonly cluster: Cluster; readonly readings: Readings; readonly member: string; readonly copies: boolean};

/** What a server was promoted with says that it is a copy still, and is none any more. */
function copyOf({cluster, readings, member, copies}: Keeper, slot: Slot): string | null {
  const facts = readingOf(readings, member)?.facts;
  if (facts?.recovering !== true) return null;
  const primary = primariesOf(factsOf(readings)).find((each) => each.facts.lineage === facts.lineage)?.name ?? null;
  if (slot.synced) return primary ?? upstreamOf(cluster, nodeOf(cluster, member), facts) ?? 'unknown';
  const same = readingOf(readings, primary)?.slots.some(({name, kind}) => name === slot.name && kind === slot.kind) ?? false;
  return copies && same && !slot.active ? primary : null;
}
