import {usageError} from '../errors.ts';
import {NAME} from './name-checks.ts';

/** The JSON Schema of the fleet file as `init` leaves it beside the file, for editors. */
export const SCHEMA_FILE = 'regionctl.schema.json';

/** What `regionctl init` asks for. `regions`: at least one; the first is the usual primary. */
export type TemplateOptions = {readonly name: string; readonly regions: readonly string[]};

/**
 * The commented fleet file that `regionctl init` writes. Prose lines begin with `# `; lines that begin with `#` and a key are examples,
 * which load when the `#` is taken away. It loads once the secret file exists. Addresses are under example.com. Throws a
 * usage error (exit 64) for a name that a fleet file cannot have.
 */
export function fleetTemplate({name, regions}: TemplateOptions): string {
  checkNames(name, regions);
  const blocks = [
    head(name),
    regionsBlock(regions),
    storesBlock(regions),
    routesBlock(regions),
    dataBlock(regions),
    optionalBlock(),
    capacityBlock(regions),
    stateBlock(),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function head(name: string): string {
  return `# yaml-language-server: $schema=./${SCHEMA_FILE}
# The fleet file of regionctl. \`regionctl doctor\` checks it; docs/fleet-file.md describes every field.
# Lines such as "#routes:" are examples: take the "#" away to use them.
# Durations: 250ms, 5s, 15m, 1h. Secrets stand here by reference only:
#   \${env:NAME}            an environment variable
#   \${file:secrets/name}   a file, relative to this one
#   \${exec:program arg}    what a program prints; no shell
# \${env:NAME} may stand in any other text too.

# Version of this format.
version: 1

# Name of the fleet: it names runs and journals.
fleet: ${plain(name)}

# Free values that reports show. Default: none.
labels: {}`;
}

function regionsBlock(regions: readonly string[]): string {
  return `# Regions. The role of a region is never written down: it is found by looking.
#   jurisdiction   code of the law that holds there (US, EU, SG, ...); compared as written. Required.
#   tier           hot (serves now), warm (can after a switch) or cold (must be built first). Default hot.
#   sites          zones or data centres; failsOverTo names a site of the same region. Default: none.
#   failoverOrder  where to go when the region is lost, first choice first. Default: nowhere.
#   endpoints      what is probed. probe: kind; critical: decides the region's verdict, default false;
#                  timeout: deadline of one probe, default 1s; slow: slow above this, default never.
regions:
${regions.map((region, index) => regionText(region, index, regions)).join('\n')}`;
}

function regionText(region: string, index: number, regions: readonly string[]): string {
  const others = regions.filter((other) => other !== region);
  return `  ${plain(region)}:
    jurisdiction: ${jurisdictionOf(region)}
    tier: ${index < 2 ? 'hot' : 'warm'}
    sites: {}
    failoverOrder: [${others.map(plain).join(', ')}]
    endpoints:
      app:
        probe: http
        url: https://app.${region}.example.com/healthz
        expectStatus: 200
        timeout: 1s
        slow: 500ms
        critical: true
      database:
        probe: tcp
        host: db.${region}.example.com
        port: 5432
        critical: true`;
}

function storesBlock(regions: readonly string[]): string {
  return `# Stores: replicated databases. Members are named as they call themselves towards their primary (application_name).
#   engine           kind of store.
#   quorum           how many other members must hold a write before it is acknowledged; 0 = asynchronous. Default 0.
#   dataClasses      which data is kept here (see below). Default: none.
#   breaker          when a link is too late to be relied on, such as {warn: 30s, open: 60s} (the defaults). Its drain names
#                    routes of reads that replication lag --drain holds off a region then: {routes: [reads]}. Default: none.
#   members          region and address of each server; site, upstreams (how this member reaches others for
#                    replication) and host (control over its machine) when needed.
stores:
  orders:
    engine: postgres
    database: orders
    user: regionctl
    password: \${file:secrets/regionctl}
    replicationUser: replicator
    quorum: ${regions.length > 1 ? 1 : 0}
    dataClasses: [user-content]
    members:
${regions.map((region) => `      ${plain(region)}:\n        region: ${plain(region)}\n        address: db.${region}.example.com:5432`).join('\n')}`;
}

function routesBlock(regions: readonly string[]): string {
  const weights = regions.map((region, index) => `${plain(region)}: ${index === 0 ? 100 : 0}`).join(', ');
  return `# Routes: what sends clients to regions.
#   router    kind of router, with its own keys beside it.
#   weights   share of new traffic per region in normal operation, 0-100.
#   url       where clients enter. Default: none.
#   stages    how a failback brings traffic home, such as {shares: [10, 50], hold: 5m}. Default: at once.
#routes:
#  front-door:
#    router: lab
#    control: http://127.0.0.1:21000
#    token: \${file:secrets/regionctl}
#    url: https://shop.example.com
#    weights: {${weights}}

# Services: what users notice when it is gone.
#   class    critical, core, full or rebuild: the order of recovery.
#   rto      recovery time objective: the longest outage that is acceptable.
#   stores, routes   what the service needs. Default: none.
services:
  checkout:
    class: critical
    rto: 15m
    stores: [orders]
    routes: []`;
}

function dataBlock(regions: readonly string[]): string {
  const allowed = [...new Set(regions.map(jurisdictionOf))];
  return `# Data classes.
#   rpo       recovery point objective: how much may be lost; 0s = no acknowledged write.
#   allowed   jurisdictions where the data may be. Default: anywhere.
dataClasses:
  user-content:
    rpo: 0s
    allowed: [${allowed.join(', ')}]`;
}

function optionalBlock(): string {
  return `# Faults: how drills break things. Default: drills may not.
#faults:
#  kind: lab
#  control: http://127.0.0.1:21000
#  token: \${file:secrets/regionctl}

# Witness: regionctl writes test records during drills and failovers, to measure gaps and losses. Default: it does not.
#   every      time between two writes. Default 20ms.
#   deadline   deadline of one write. Default 2s.
#   stores     stores that drills also write to by themselves, such as [orders]; a PostgreSQL store then needs
#              witness: {user, password}, a role for that and nothing else. Default: none.
#witness:
#  allowed: true
#  url: https://shop.example.com/orders
#  every: 20ms
#  deadline: 2s
#  stores: []

# Hooks: commands that a plan may run, as lists: no shell sees them. timeout: default 30s.
#hooks:
#  page-oncall:
#    run: [notify, oncall]
#    timeout: 30s

# Drills: what must pass regularly; drill due says what is owed.
#   calendar    by the name of the drill. every: week, month, quarter, year (one in each, in UTC; default month), or a span such as
#               30d since the last one; grace: how much later it may be, default 3d; file: default found by its name.
#   readiness   how often failover ready must find every way open: every 7d, grace 1d. Default: never.
#drills:
#  calendar:
#    region-lost: {every: month, grace: 3d}
#  readiness: {every: 7d, grace: 1d}`;
}

function capacityBlock(regions: readonly string[]): string {
  const limits = regions.map((region) => `${plain(region)}: {limit: 1000}`).join(', ');
  return `# Metrics: where series come from. kind: prometheus (also Mimir, Thanos, VictoriaMetrics), csv, or history (what capacity collect wrote).
#metrics:
#  prometheus:
#    kind: prometheus
#    url: https://prometheus.example.com
#    timeout: 20s

# Capacity: which series are forecast.
#   for       throughput, cpu, memory, disk, connections, slots or orders. unit: of its values and limits.
#   query     as the source wants it; $region stands for the name of the region.
#   step      hourly (default), daily or weekly. timeZone: whose hours and days it follows, default UTC.
#   regions   those that have it, with what each can carry (limit). Default: it is of the whole fleet.
#capacity:
#  series:
#    requests:
#      source: prometheus
#      for: throughput
#      unit: req/s
#      query: sum(rate(http_requests_total{region="$region"}[5m]))
#      regions: {${limits}}`;
}

function stateBlock(): string {
  return `# State: where runs, journals and history are kept. dir: relative to this file; default: regionctl's data folder.
state: {kind: sqlite}`;
}

/** A first guess by the usual names of regions; to be corrected by hand. */
function jurisdictionOf(region: string): string {
  const [, prefix = ''] = /^([a-z]+)/.exec(region.toLowerCase()) ?? [];
  const guesses: Record<string, string> = {eu: 'EU', europe: 'EU', ap: 'SG', asia: 'SG', uk: 'UK', ca: 'CA', sa: 'BR', me: 'AE', af: 'ZA'};
  return Object.hasOwn(guesses, prefix) ? (guesses[prefix] ?? 'US') : 'US';
}

function checkNames(name: string, regions: readonly string[]): void {
  const [wrong] = [name, ...regions].filter((one) => !NAME.test(one));
  if (wrong !== undefined)
    throw usageError(`"${wrong}" is not a name`, {suggestions: ['Begin with a letter; use letters, digits, - and _ only, at most 63.']});
  const [twice] = regions.filter((one, index) => regions.indexOf(one) !== index);
  if (twice !== undefined) throw usageError(`the region "${twice}" is named twice`, {suggestions: ['Name each region once.']});
  if (regions.length === 0)
    throw usageError('a fleet needs at least one region', {suggestions: ['Name its regions, the usual primary first.']});
}

/** A name as YAML reads it back as text. */
function plain(name: string): string {
  return /^(true|false|null|yes|no|on|off|y|n)$/i.test(name) ? `"${name}"` : name;
}
