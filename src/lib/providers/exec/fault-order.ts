import type {Fleet} from '../../fleet/fleet.ts';
import type {Json} from '../../plan/json.ts';
import type {FaultOrder, FaultTrouble} from '../../ports/fault.ts';
import {FAULT_PLACEHOLDER} from './fault-placeholders.ts';
import type {ExecFaultConfig} from './fault-provider.ts';

/* The commands may be an ssh, which hands its arguments to a shell on the other side. None of these signs means anything to one, and nothing that
   begins with a dash is taken for an option. */
const HARMLESS = /^(?!-)[\w./:@%+-]*$/u;

/** A kind or a place that the fleet file does not have, or no lease; null = none of it. */
export function orderTrouble(config: ExecFaultConfig, fleet: Fleet, {kind, region, leaseMs}: FaultOrder): FaultTrouble | null {
  const kinds = Object.keys(config.faults).join(', ');
  if (!Object.hasOwn(config.faults, kind))
    return {field: 'kind', says: `the fleet file has no fault "${kind}"; it has ${kinds}`, fix: `Name one of ${kinds}.`};
  const places = [...fleet.regions, ...fleet.routes].map(({name}) => name);
  if (!places.includes(region)) {
    const says = `the fleet file has no region and no route "${region}"; it has ${places.join(', ')}`;
    return {field: 'region', says, fix: `Name one of ${places.join(', ')}.`};
  }
  return leaseMs >= 1 ? null : {field: 'lease', says: `a fault needs a lease: ${leaseMs} ms is none`, fix: 'Write a longer lease.'};
}

/** An argument that is missing, that nothing asks for, or that a shell at the other end of an ssh could read; null = all are good. */
export function argsTrouble(config: ExecFaultConfig, {kind, args}: FaultOrder): FaultTrouble | null {
  const given = Object(args) as Readonly<Record<string, Json>>;
  const names = askedOf(config, kind);
  const wrong = (arg: string, says: string, fix: string): FaultTrouble => ({field: 'args', arg, says, fix});
  const strange = Object.keys(given).find((name) => !names.includes(name));
  if (strange !== undefined) {
    const takes = names.length === 0 ? 'no arguments' : `no arguments but ${names.join(', ')}`;
    return wrong(
      strange,
      `${kind} takes ${takes}, so not fault.args.${strange}`,
      'Take it out, or ask for it in the command of the fleet file.',
    );
  }
  for (const name of names) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) return {field: 'args', says: `${kind} needs fault.args.${name} of the drill`, fix: `Add args: {${name}: …}.`};
    if (!['string', 'number', 'boolean'].includes(typeof value))
      return wrong(name, `${kind} needs fault.args.${name} of the drill as one value`, 'Write a text, a number, true or false.');
    if (!HARMLESS.test(String(value)))
      return wrong(
        name,
        `${kind} uses fault.args.${name}, whose value ${JSON.stringify(value)} has signs that a shell may read`,
        'Write letters, digits and . _ / : @ % + - only, no - first.',
      );
  }
  return null;
}

/** Two of a kind at one place that nothing can tell apart: one heal would end both. Null = it is the first. */
export function sameTwice({kind, region}: FaultOrder, beside: readonly FaultOrder[]): FaultTrouble | null {
  if (!beside.some((other) => other.kind === kind && other.region === region)) return null;
  return {field: 'kind', says: `${kind} is at ${region} already`, fix: 'Take one of the two out.'};
}

/** The names of the drill's arguments that inject asks for. */
export function askedOf(config: ExecFaultConfig, kind: string): readonly string[] {
  const asked = (config.faults[kind]?.inject ?? []).flatMap((argument) =>
    [...argument.matchAll(FAULT_PLACEHOLDER)].map(([, name = '']) => name),
  );
  return [...new Set(asked.filter((name) => name.startsWith('args.')).map((name) => name.slice('args.'.length)))];
}
