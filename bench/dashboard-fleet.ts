import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {parseDocument} from 'yaml';
import {ROOT} from './lab.ts';

const NODE = join(ROOT, 'node_modules/.bin/node');

/** `answered`: how many requests so far. */
export type Targets = {readonly ports: readonly number[]; answered(): Promise<number>; stop(): void};

/** HTTP servers in a process of their own, each of which answers, and closes the connection. */
export async function startTargets(count: number): Promise<Targets> {
  const child = spawn(NODE, [join(ROOT, 'bench/targets.ts'), String(count), '0'], {stdio: ['pipe', 'pipe', 'inherit']});
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  return {
    ports: JSON.parse(line) as number[],
    answered: async () => {
      const said = once(lines, 'line');
      child.stdin.write('\n');
      return Number((await said)[0]);
    },
    stop: () => child.kill('SIGKILL'),
  };
}

type Member = {readonly upstreams: Readonly<Record<string, string>>};

/** Writes the fleet file of a lab anew: its regions with so many HTTP endpoints in all, its store so many times that there are so many links. Returns the new file. */
export function widen(fleetFile: string, ports: readonly number[], links: number): string {
  const document = parseDocument(readFileSync(fleetFile, 'utf8'));
  const fleet = document.toJS() as Record<string, unknown> & {
    regions: Record<string, {endpoints: Record<string, unknown>}>;
    stores: Record<string, {members: Record<string, Member>}>;
  };
  const names = Object.keys(fleet.regions);
  for (const [index, name] of names.entries()) {
    const own = ports.filter((_, at) => at % names.length === index);
    const region = fleet.regions[name] as {endpoints: Record<string, unknown>};
    region.endpoints = Object.fromEntries(
      own.map((port, at) => [
        `app-${at}`,
        {probe: 'http', url: `http://127.0.0.1:${port}/`, expectStatus: 200, timeout: '1s', critical: at === 0},
      ]),
    );
  }
  const store = fleet.stores.orders as {members: Record<string, Member>};
  const members = Object.entries(store.members);
  const stores: Record<string, unknown> = {};
  for (let left = links; left > 0; left -= members.length - 1) {
    const at = Object.keys(stores).length;
    stores[at === 0 ? 'orders' : `orders-${at + 1}`] = {...store, members: firstMembers(members, left + 1)};
  }
  Object.assign(fleet, {stores});
  fleet.health = {interval: '1s'};
  const file = fleetFile.replace(/\.yaml$/u, '-wide.yaml');
  writeFileSync(file, JSON.stringify(fleet));
  return file;
}

function firstMembers(members: readonly (readonly [string, Member])[], count: number): Record<string, Member> {
  const kept = members.slice(0, count);
  const isKept = ([name]: readonly [string, unknown]): boolean => kept.some(([each]) => each === name);
  return Object.fromEntries(
    kept.map(([name, member]) => [name, {...member, upstreams: Object.fromEntries(Object.entries(member.upstreams).filter(isKept))}]),
  );
}
