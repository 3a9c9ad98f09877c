import {BaseSequencer, type TestSpecification} from 'vitest/node';

/** Files that take more than 20 s, the longest first: one of them begun last would keep one of two workers waiting for all of it. */
const LONGEST = [
  'e2e/scenarios-moving',
  'e2e/scenarios',
  'providers/patroni/links',
  'e2e/evacuation',
  'e2e/operators',
  'e2e/patroni',
  'providers/patroni/patroni',
  'e2e/evacuation-resumed',
  'e2e/secrets',
  'e2e/plan-engine',
  'e2e/repair-killed',
  'e2e/crash-resume',
  'e2e/crash-drill',
  'replication/physical-faults',
  'plugins/rabbitmq/host',
  'plugins/rabbitmq/links',
  'health/really-down',
  'replication/logical-faults',
  'e2e/gates',
  'e2e/overridden',
  'lab/lab',
  'providers/postgres/repair/types',
  'health/network-back',
  'providers/redis/sentinel',
  'providers/redis/store-faults',
  'consistency/repair/repair',
  'e2e/audit',
];

const placeOf = ({moduleId}: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.includes(`/test/${name}.`));
  return place === -1 ? LONGEST.length : place;
};

/** On a clean clone nothing is known of how long a file takes, so that vitest goes by its size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
