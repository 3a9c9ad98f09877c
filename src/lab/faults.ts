import type {LabFaultKind} from '../lib/providers/lab/lab-fault-kinds.ts';
import {CLEAR, type PathShape} from './faulty-proxy.ts';

/** Where a fault of the router is: the name of the lab's route. */
export const FRONT_DOOR = 'front-door';

/** `out`: what the region sends is lost. `in`: what the others send to it. */
export const DIRECTIONS = ['in', 'out'] as const;

/** Arguments of a fault. `from` limits partition, latency and bandwidth to the paths between the region and that one. */
export type FaultArgs = {
  readonly from?: string | undefined;
  readonly direction?: (typeof DIRECTIONS)[number] | undefined;
  /** latency: the delay of one way; skew: how far the clock is ahead, negative = behind. */
  readonly ms?: number | undefined;
  readonly jitterMs?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  /** errors: from 0 to 1. */
  readonly share?: number | undefined;
  /** disk-full: what cannot be written. */
  readonly what?: 'wal' | undefined;
  /** router: connections are taken and never answered, instead of refused. */
  readonly silent?: boolean | undefined;
};

/** A fault that is active. Times are ISO 8601. It ends by itself at `endsAt`. */
export type ActiveFault = {
  readonly region: string;
  readonly kind: LabFaultKind;
  readonly args: FaultArgs;
  readonly injectedAt: string;
  readonly leaseMs: number;
  readonly endsAt: string;
};

/** A fault that has ended, and everything that it had ended runs again. Times are ISO 8601; `by` its lease, or a heal. */
export type EndedFault = Pick<ActiveFault, 'region' | 'kind' | 'injectedAt'> & {readonly endedAt: string; readonly by: 'lease' | 'heal'};

/** A way that traffic takes: into a region from outside, or from `owner`, who dials, to the database of `target`. */
export type Path =
  | {readonly kind: 'ingress'; readonly region: string}
  | {readonly kind: 'link'; readonly owner: string; readonly target: string};

/** How a path behaves under these faults: black holes win, delays add up, the narrowest bandwidth counts. */
export function shapeOf(path: Path, faults: readonly ActiveFault[]): PathShape {
  return faults.filter((fault) => touches(fault, path)).reduce((shape, fault) => withFault(shape, fault, path), CLEAR);
}

/** What the faults of a region want of its machine. `dead` must not run; `skewMs` 0 = the right clock; `errorShare` 0 = no answer is spoilt. */
export type Condition = {
  readonly dead: {readonly database: boolean; readonly service: boolean};
  readonly frozen: boolean;
  readonly diskFull: boolean;
  readonly skewMs: number;
  readonly errorShare: number;
};

/** The condition of a machine under these faults, those of other regions among them. */
export function conditionOf(region: string, faults: readonly ActiveFault[]): Condition {
  const own = faults.filter((fault) => fault.region === region);
  const has = (...kinds: readonly LabFaultKind[]) => own.some(({kind}) => kinds.includes(kind));
  return {
    dead: {database: has('lose', 'kill', 'database'), service: has('lose', 'kill', 'service')},
    frozen: has('freeze'),
    diskFull: has('disk-full'),
    skewMs: own.find(({kind}) => kind === 'skew')?.args.ms ?? 0,
    errorShare: own.find(({kind}) => kind === 'errors')?.args.share ?? 0,
  };
}

/** How the front door behaves: it serves, refuses every connection, or takes them and says nothing. */
export type DoorState = 'open' | 'closed' | 'silent';

/** The state of the front door under these faults. */
export function doorStateOf(faults: readonly ActiveFault[]): DoorState {
  const fault = faults.find(({kind}) => kind === 'router');
  if (fault === undefined) return 'open';
  return fault.args.silent === true ? 'silent' : 'closed';
}

function touches(fault: ActiveFault, path: Path): boolean {
  if (path.kind === 'ingress') return path.region === fault.region && fault.args.from === undefined;
  if (path.owner !== fault.region && path.target !== fault.region) return false;
  return fault.args.from === undefined || path.owner === fault.args.from || path.target === fault.args.from;
}

function withFault(shape: PathShape, fault: ActiveFault, path: Path): PathShape {
  const {ms = 0, jitterMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY} = fault.args;
  switch (fault.kind) {
    case 'lose':
      return {...shape, blackHole: true};
    case 'partition':
      return parted(shape, fault, path);
    case 'latency':
      return {...shape, latencyMs: shape.latencyMs + ms, jitterMs: shape.jitterMs + jitterMs};
    case 'bandwidth':
      return throttled(shape, bytesPerSecond, fault, path);
    default:
      return shape;
  }
}

/** What the region sends goes up on a link that it dials, and down on one that others dial to it, and to its clients. */
function parted(shape: PathShape, {region, args}: ActiveFault, path: Path): PathShape {
  if (args.direction === undefined) return {...shape, blackHole: true};
  const sendsUp = path.kind === 'link' && path.owner === region;
  const hole = (args.direction === 'out') === sendsUp ? 'up' : 'down';
  return {...shape, blackHole: shape.blackHole === false || shape.blackHole === hole ? hole : true};
}

/**
 * What the region sends; between two regions the line itself, in both directions. On a link that the region dials, its data goes up; on one that
 * others dial to it, down. Ingress is left alone: that is the clients' line.
 */
function throttled(shape: PathShape, limit: number, {region, args}: ActiveFault, path: Path): PathShape {
  if (path.kind === 'ingress') return shape;
  const lower = (now: number | null) => Math.min(now ?? Number.POSITIVE_INFINITY, limit);
  const [up, down] = args.from === undefined ? [path.owner === region, path.owner !== region] : [true, true];
  return {
    ...shape,
    upBytesPerSecond: up ? lower(shape.upBytesPerSecond) : shape.upBytesPerSecond,
    downBytesPerSecond: down ? lower(shape.downBytesPerSecond) : shape.downBytesPerSecond,
  };
}
