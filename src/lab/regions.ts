/** A region of the lab: its name and the jurisdiction that the fleet file gives it. */
export type LabRegion = {readonly name: string; readonly jurisdiction: string};

const ALL: readonly LabRegion[] = [
  {name: 'us-east', jurisdiction: 'US'},
  {name: 'eu-west', jurisdiction: 'EU'},
  {name: 'ap', jurisdiction: 'SG'},
  {name: 'sa', jurisdiction: 'BR'},
  {name: 'me', jurisdiction: 'AE'},
  {name: 'af', jurisdiction: 'ZA'},
  {name: 'in', jurisdiction: 'IN'},
];

/** How few and how many regions a lab can have. */
export const REGION_COUNT = {min: 2, max: ALL.length} as const;

/** The first `count` regions; the first of them starts as the primary. Throws RangeError outside REGION_COUNT. */
export function labRegions(count: number): readonly LabRegion[] {
  if (!Number.isInteger(count) || count < REGION_COUNT.min || count > REGION_COUNT.max) {
    throw new RangeError(`a lab has ${REGION_COUNT.min} to ${REGION_COUNT.max} regions, not ${count}`);
  }
  return ALL.slice(0, count);
}
