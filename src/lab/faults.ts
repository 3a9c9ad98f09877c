import {z} from 'zod';
import {CLEAR, type PathShape} from './faulty-proxy.ts';

/** Every kind of fault, with what it does. */
export const FAULT_KINDS = {
  lose: 'the region is gone: no path in or out, every process killed',
  kill: 'every process of the region is killed; its paths stay open',
  freeze: 'every process of the region is stopped where it is; heal lets it go on',
  partition: 'no path in or out; its processes go on',
  latency: 'every path in and out takes longer',
  bandwidth: 'what the region sends to others is throttled',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

/** Arguments of a fault. `from` limits partition, latency and bandwidth to the paths between the region and that one. */
export type FaultArgs = {
  readonly from?: string | undefined;
  readonly ms?: number | undefined;
  readonly jitterMs?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
};

/** A fault that is active. Times are ISO 8601. It ends by itself at `endsAt`. */
export type ActiveFault = {
  readonly region: string;
  readonly kind: FaultKind;
  readonly args: FaultArgs;
  readonly injectedAt: string;
  readonly leaseMs: number;
  readonly endsAt: string;
};

/** How long a fault lasts when nothing is said: ten minutes. At most a day. */
export const DEFAULT_LEASE_MS = 600_000;
const LONGEST_LEASE_MS = 86_400_000;

const REQUEST = z.strictObject({
  region: z.string(),
  kind: z.enum(Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]]),
  args: z
    .strictObject({
      from: z.string().optional(),
      ms: z.number().min(0).max(60_000).optional(),
      jitterMs: z.number().min(0).max(60_000).optional(),
      bytesPerSecond: z.number().int().min(1).optional(),
    })
    .nullish(),
  leaseMs: z.number().int().min(1).max(LONGEST_LEASE_MS).default(DEFAULT_LEASE_MS),
});

/** What a fault request asks for. Throws Error with one sentence naming the field and the value. */
export function parseFault(body: unknown, regions: readonly string[], now: number): ActiveFault {
  const parsed = REQUEST.safeParse(body);
  if (!parsed.success) throw new Error(sentenceOf(parsed.error));
  const {region, kind, leaseMs} = parsed.data;
  const args = parsed.data.args ?? {};
  if (!regions.includes(region)) throw new Error(`unknown region "${region}"; the lab has ${regions.join(', ')}`);
  if (args.from !== undefined && (!regions.includes(args.from) || args.from === region)) {
    throw new Error(`args.from must be another region of the lab, not "${args.from}"`);
  }
  if (kind === 'latency' && args.ms === undefined) throw new Error('latency needs args.ms, the delay of one way in milliseconds');
  if (kind === 'bandwidth' && args.bytesPerSecond === undefined) throw new Error('bandwidth needs args.bytesPerSecond');
  if (['lose', 'kill', 'freeze'].includes(kind) && Object.keys(args).length > 0) throw new Error(`${kind} takes no arguments`);
  return {region, kind, args, injectedAt: iso(now), leaseMs, endsAt: iso(now + leaseMs)};
}

/** A way that traffic takes: into a region from outside, or from `owner`, who dials, to the database of `target`. */
export type Path =
  | {readonly kind: 'ingress'; readonly region: string}
  | {readonly kind: 'link'; readonly owner: string; readonly target: string};

/** How a path behaves under these faults: black holes win, delays add up, the narrowest bandwidth counts. */
export function shapeOf(path: Path, faults: readonly ActiveFault[]): PathShape {
  return faults.filter((fault) => touches(fault, path)).reduce((shape, fault) => withFault(shape, fault, path), CLEAR);
}

/** Faults that end a region's processes; as long as one is active they must not be started. */
export const endsProcesses = (kind: FaultKind) => kind === 'lose' || kind === 'kill';

function touches(fault: ActiveFault, path: Path): boolean {
  if (path.kind === 'ingress') return path.region === fault.region && fault.args.from === undefined;
  if (path.owner !== fault.region && path.target !== fault.region) return false;
  return fault.args.from === undefined || path.owner === fault.args.from || path.target === fault.args.from;
}

function withFault(shape: PathShape, fault: ActiveFault, path: Path): PathShape {
  const {ms = 0, jitterMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY} = fault.args;
  switch (fault.kind) {
    case 'lose':
    case 'partition':
      return {...shape, blackHole: true};
    case 'latency':
      return {...shape, latencyMs: shape.latencyMs + ms, jitterMs: shape.jitterMs + jitterMs};
    case 'bandwidth':
      return throttled(shape, bytesPerSecond, fault, path);
    case 'kill':
    case 'freeze':
      return shape;
  }
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

function sentenceOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'not a fault' : `${issue.path.join('.') || 'the request'}: ${issue.message}`;
}

const iso = (ms: number) => new Date(ms).toISOString();
