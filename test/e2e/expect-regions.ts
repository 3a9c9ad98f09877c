import {expect} from 'vitest';
import type {LabSession} from './lab-session.ts';

const ORDERS_DIGEST = `select md5(string_agg(o::text, ',' order by id)) as md5 from orders o`;

/** No fault is active, and every process of every region runs. */
export async function expectNoFaultLeft(lab: LabSession): Promise<void> {
  const {faults, regions} = await lab.status();
  expect(faults).toEqual([]);
  expect(regions.map(({state}) => state)).toEqual(['running', 'running', 'running']);
}

/** The first region is the primary again, and each of the others holds the same orders: by a digest of our own, once what is on its way has arrived. */
export async function expectEqualRegions(lab: LabSession): Promise<void> {
  const {regions} = await lab.status();
  expect(regions.map(({role}) => role)).toEqual(['primary', 'standby', 'standby']);
  const digest = async (region: string) => (await lab.sql<{md5: string}>(region, ORDERS_DIGEST))[0]?.md5;
  const [wanted] = await Promise.all(regions.slice(0, 1).map(({region}) => digest(region)));
  expect(wanted).toMatch(/^[0-9a-f]{32}$/);
  for (const {region} of regions.slice(1)) await expect.poll(() => digest(region), {timeout: 5000, interval: 20}).toBe(wanted);
}
