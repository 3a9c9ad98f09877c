import type {LabRecord, RegionRecord} from './record.ts';
import {firstWeights} from './weights.ts';

/** The lab's fleet file. Every address leads through the ingress of its region, so that a fault cuts regionctl off too. `schema` is the file that editors check it with; null = none. */
export function fleetFileText(record: LabRecord, schema: string | null): string {
  const names = record.regions.map(({name}) => name);
  const quorum = record.mode === 'quorum';
  const peers = record.mode === 'active-active';
  const weights = Object.entries(firstWeights(names, record.mode))
    .map(([name, weight]) => `${name}: ${weight}`)
    .join(', ');
  const allowed = [...new Set(record.regions.map(({jurisdiction}) => jurisdiction))].join(', ');
  const control = `http://127.0.0.1:${record.control}`;
  const frontDoor = `http://127.0.0.1:${record.frontDoor}`;
  return `${schema === null ? '' : `# yaml-language-server: $schema=${schema}\n`}# Made by regionctl lab up; lab down removes it.
version: 1
fleet: lab
labels: {profile: ${record.profile}, mode: ${record.mode}}
regions:
${record.regions.map((region, index) => regionText(region, [...names.slice(index + 1), ...names.slice(0, index)])).join('\n')}
stores:
  orders:
    engine: postgres
    database: orders
    user: regionctl
    password: "\${file:secrets/regionctl}"
    replicationUser: replicator
    ${peers ? 'peers: true' : `witness: {user: app, password: "\${file:secrets/app}"}`}
    quorum: ${quorum ? 1 : 0}
    dataClasses: [user-content]
${peers ? CONSISTENCY : ''}${record.profile === 'fast' ? '    breaker: {warn: 3s, open: 6s, readmit: 3s}\n' : ''}    members:
${record.regions.map(memberText).join('\n')}
routes:
  front-door:
    router: lab
    control: ${control}
    token: "\${file:secrets/control}"
    url: ${frontDoor}
    weights: {${weights}}
services:
  checkout: {class: critical, rto: 15m, stores: [orders], routes: [front-door]}
dataClasses:
  user-content: {rpo: ${quorum ? '0s' : '5m'}, allowed: [${allowed}]}
faults: {kind: lab, control: "${control}", token: "\${file:secrets/control}"}
witness: {allowed: true, url: "${frontDoor}/orders", every: 20ms, deadline: 2s${peers ? '' : ', stores: [orders]'}}
state: {kind: sqlite, dir: state}
`;
}

/** How each table's rows are judged; `active-active-sql.ts` merges them by the same rules. */
const CONSISTENCY = `    consistency:
      only: [public.orders, public.profiles, public.likes, public.members]
      tables:
        public.orders: {hlc: hlc, region: region, tombstone: deleted, policy: newest}
        public.profiles: {merge: {versions: mv-register}}
        public.likes: {merge: {counts: pn-counter}}
        public.members: {merge: {members: or-set}}
`;

function regionText({name, jurisdiction, ingress}: RegionRecord, failoverOrder: readonly string[]): string {
  return `  ${name}:
    jurisdiction: ${jurisdiction}
    tier: hot
    failoverOrder: [${failoverOrder.join(', ')}]
    endpoints:
      app: {probe: http, url: "http://127.0.0.1:${ingress.http}/healthz", expectStatus: 200, timeout: 1s, slow: 500ms, critical: true}
      postgres: {probe: postgres, host: 127.0.0.1, port: ${ingress.postgres}, user: regionctl, password: "\${file:secrets/regionctl}", database: orders, timeout: 1s, critical: true}
      agent: {probe: tcp, host: 127.0.0.1, port: ${ingress.agent}, timeout: 1s, critical: false}`;
}

function memberText({name, ingress, links, home}: RegionRecord): string {
  const upstreams = Object.entries(links).map(([other, port]) => `${other}: "127.0.0.1:${port}"`);
  return `      ${name}:
        region: ${name}
        address: 127.0.0.1:${ingress.postgres}
        upstreams: {${upstreams.join(', ')}}
        replicationPassfile: ${JSON.stringify(`${home}/pgpass`)}
        host: {kind: lab, url: "http://127.0.0.1:${ingress.agent}", token: "\${file:secrets/control}"}`;
}
