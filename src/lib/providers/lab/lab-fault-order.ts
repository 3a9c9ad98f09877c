import {isRecord, type Json} from '../../plan/json.ts';
import type {FaultOrder, FaultTrouble} from '../../ports/fault.ts';
import {LAB_FAULT_KINDS, type LabFaultKind} from './lab-fault-kinds.ts';

/** Where a fault of the router is: the name of the lab's route. */
export const FRONT_DOOR = 'front-door';

/** `out`: what the region sends is lost. `in`: what the others send to it. */
export const DIRECTIONS = ['in', 'out'] as const;

/** The longest lease: a day. */
export const LONGEST_LEASE_MS = 86_400_000;

/** One argument. `needed`: what is said when it is left out; absent = it may be. */
type Arg = {readonly wants: string; readonly needed?: string; fits(value: unknown): boolean};

const numberFrom = (least: number, most: number, needed?: string): Arg => ({
  wants: `a number from ${least} to ${most}`,
  fits: (value) => typeof value === 'number' && value >= least && value <= most,
  ...(needed === undefined ? {} : {needed}),
});
const wholeFrom = (least: number, most: number, needed: string): Arg => ({
  wants: `a whole number from ${least} to ${most}`,
  fits: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most,
  needed,
});
const oneOf = (...values: readonly (string | boolean)[]): Arg => ({
  wants: values.join(' or '),
  fits: (value) => values.some((each) => each === value),
});

const LONGEST_DELAY_MS = 60_000;
const FROM: Arg = {wants: 'the name of another region of the lab', fits: (value) => typeof value === 'string'};

/** The arguments of each kind. */
const ARGS: Readonly<Record<LabFaultKind, Readonly<Record<string, Arg>>>> = {
  lose: {},
  kill: {},
  database: {},
  service: {},
  freeze: {},
  partition: {from: FROM, direction: oneOf(...DIRECTIONS)},
  latency: {
    from: FROM,
    ms: numberFrom(0, LONGEST_DELAY_MS, 'latency needs args.ms, the delay of one way in milliseconds'),
    jitterMs: numberFrom(0, LONGEST_DELAY_MS),
  },
  bandwidth: {from: FROM, bytesPerSecond: wholeFrom(1, Number.MAX_SAFE_INTEGER, 'bandwidth needs args.bytesPerSecond')},
  errors: {share: numberFrom(0, 1, 'errors needs args.share, the share of requests from 0 to 1')},
  'disk-full': {what: oneOf('wal')},
  skew: {
    ms: wholeFrom(
      -LONGEST_LEASE_MS,
      LONGEST_LEASE_MS,
      'skew needs args.ms, how far the clock is ahead in milliseconds, or behind when it is negative',
    ),
  },
  router: {silent: oneOf(true, false)},
};

/**
 * What is wrong with a fault of a lab that has these regions; null = it can be injected. `beside`: those that are there already. Pure: the lab itself
 * and whoever asks for a fault judge by this one.
 */
export function labFaultTrouble(order: FaultOrder, beside: readonly FaultOrder[], regions: readonly string[]): FaultTrouble | null {
  return kindTrouble(order) ?? placeTrouble(order, regions) ?? argsTrouble(order, regions) ?? leaseTrouble(order) ?? twice(order, beside);
}

function kindTrouble({kind}: FaultOrder): FaultTrouble | null {
  if (Object.hasOwn(LAB_FAULT_KINDS, kind)) return null;
  return {field: 'kind', says: `the lab knows no fault "${kind}"`, fix: `It knows ${Object.keys(LAB_FAULT_KINDS).join(', ')}.`};
}

function placeTrouble({region, kind}: FaultOrder, regions: readonly string[]): FaultTrouble | null {
  const trouble = (says: string, fix: string): FaultTrouble => ({field: 'region', says, fix});
  const names = regions.join(', ');
  if (region === FRONT_DOOR && kind === 'router') return null;
  if (region === FRONT_DOOR)
    return trouble(`${FRONT_DOOR} is a router: the only fault that it can have is router, not ${kind}`, `Name a region: ${names}.`);
  if (!regions.includes(region))
    return trouble(`unknown region "${region}"; the lab has ${[...regions, FRONT_DOOR].join(', ')}`, 'Name one of those.');
  return kind === 'router' ? trouble(`router is possible at ${FRONT_DOOR} only, not at "${region}"`, `Write region: ${FRONT_DOOR}.`) : null;
}

function argsTrouble({kind, region, args}: FaultOrder, regions: readonly string[]): FaultTrouble | null {
  const known = ARGS[kind as LabFaultKind];
  const names = Object.keys(known);
  const given: Readonly<Record<string, Json | undefined>> = isRecord(args) ? args : {};
  const list = names.length === 0 ? 'Leave "args" out.' : `It takes ${names.join(', ')}.`;
  const strange = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (strange !== undefined) {
    const but = names.length === 0 ? '' : ` but ${names.join(', ')}`;
    return {field: 'args', arg: strange, says: `${kind} takes no arguments${but}, so not args.${strange}`, fix: list};
  }
  for (const [name, {wants, needed, fits}] of Object.entries(known)) {
    const value = given[name];
    if (value === undefined && needed === undefined) continue;
    if (value === undefined) return {field: 'args', says: needed ?? '', fix: `Add args: {${name}: …}, ${wants}.`};
    if (!fits(value))
      return {field: 'args', arg: name, says: `args.${name}: expected ${wants}, not ${JSON.stringify(value)}`, fix: `Write ${wants}.`};
  }
  const {from} = given;
  if (from === undefined || (regions.includes(String(from)) && from !== region)) return null;
  const others = regions.filter((name) => name !== region);
  return {
    field: 'args',
    arg: 'from',
    says: `args.from must be another region of the lab, not "${from}"`,
    fix: `Name one of ${others.join(', ')}.`,
  };
}

function leaseTrouble({leaseMs}: FaultOrder): FaultTrouble | null {
  if (!(leaseMs >= 1)) return {field: 'lease', says: 'a fault needs a lease', fix: 'Write one, such as 5m.'};
  if (leaseMs <= LONGEST_LEASE_MS) return null;
  return {field: 'lease', says: 'the lab keeps a lease of at most 24h', fix: 'Write a shorter one.'};
}

/** The same kind on the same paths is one fault, which gets a new lease. */
function twice(order: FaultOrder, beside: readonly FaultOrder[]): FaultTrouble | null {
  if (!beside.some((other) => pathsOf(other) === pathsOf(order))) return null;
  return {
    field: 'kind',
    says: `${order.kind} is at ${order.region} already: a second one would only take its place`,
    fix: 'Take one of the two out.',
  };
}

function pathsOf({kind, region, args}: FaultOrder): string {
  const {from = null, direction = null} = isRecord(args) ? args : {};
  return JSON.stringify([kind, region, from, direction]);
}
