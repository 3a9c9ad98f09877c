import {type ActiveFault, shapeOf} from './faults.ts';
import {FaultyProxy} from './faulty-proxy.ts';
import type {PortPicker} from './ports.ts';

/** The doors of a region: what leads into it from outside. */
export const DOORS = ['http', 'postgres', 'agent'] as const;
export type Door = (typeof DOORS)[number];

/** Every path of the lab that a fault can touch: each region's doors, and for each ordered pair of regions the link to the other's database. */
export class RegionPaths {
  readonly #doors = new Map<string, Record<Door, FaultyProxy>>();
  readonly #links = new Map<string, Map<string, FaultyProxy>>();
  /** Ports on 127.0.0.1. */
  readonly doorPorts = new Map<string, Record<Door, number>>();
  readonly linkPorts = new Map<string, Readonly<Record<string, number>>>();

  static async open(regions: readonly string[], ports: PortPicker): Promise<RegionPaths> {
    const paths = new RegionPaths();
    for (const region of regions) {
      const doors = {http: new FaultyProxy(), postgres: new FaultyProxy(), agent: new FaultyProxy()};
      paths.#doors.set(region, doors);
      paths.doorPorts.set(region, {
        http: await doors.http.listen(ports),
        postgres: await doors.postgres.listen(ports),
        agent: await doors.agent.listen(ports),
      });
      await paths.#openLinks(
        region,
        regions.filter((other) => other !== region),
        ports,
      );
    }
    return paths;
  }

  /** Says where a region's door leads. The links of the others lead where its postgres door leads. */
  lead(region: string, door: Door, port: number): void {
    const proxy = this.#doors.get(region)?.[door];
    if (proxy !== undefined) proxy.target = port;
    if (door !== 'postgres') return;
    for (const [, links] of this.#links) {
      const link = links.get(region);
      if (link !== undefined) link.target = port;
    }
  }

  /** Makes every path behave as these faults want. */
  apply(faults: readonly ActiveFault[]): void {
    for (const [region, doors] of this.#doors) {
      for (const door of DOORS) doors[door].reshape(shapeOf({kind: 'ingress', region}, faults));
    }
    for (const [owner, links] of this.#links) {
      for (const [target, link] of links) link.reshape(shapeOf({kind: 'link', owner, target}, faults));
    }
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()].flatMap((each) => [...each.values()]);
    const doors = [...this.#doors.values()].flatMap((each) => DOORS.map((door) => each[door]));
    await Promise.all([...links, ...doors].map((proxy) => proxy.close()));
  }

  async #openLinks(region: string, others: readonly string[], ports: PortPicker): Promise<void> {
    const links = new Map<string, FaultyProxy>();
    const listening: Record<string, number> = {};
    for (const other of others) {
      const link = new FaultyProxy();
      links.set(other, link);
      listening[other] = await link.listen(ports);
    }
    this.#links.set(region, links);
    this.linkPorts.set(region, listening);
  }
}
