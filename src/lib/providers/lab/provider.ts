import {z} from 'zod';
import {httpUrl, secretRef} from '../../fleet/fields.ts';
import {defineFault, defineHost, defineRouter, type Provider} from '../define.ts';

const CONTROL = {control: httpUrl, token: secretRef};

/** The lab's part of every port that it serves: the agent of a region's machine, the front door, the faults. */
export const labProviders: readonly Provider[] = [
  defineHost({
    kind: 'lab',
    schema: z.strictObject({url: httpUrl, token: secretRef}),
    async create({url, token}, member, {secrets}) {
      const {labHost} = await import('./lab-host.ts');
      return labHost({url, token, secrets, unreachable: 'host-unreachable', who: `the agent of ${member}`}, member);
    },
  }),
  defineRouter({
    kind: 'lab',
    schema: z.strictObject(CONTROL),
    async create({control, token}, name, {secrets}) {
      const {labRouter} = await import('./lab-router.ts');
      return labRouter({url: control, token, secrets, unreachable: 'router-unreachable', who: `the lab's control of ${name}`});
    },
  }),
  defineFault({
    kind: 'lab',
    schema: z.strictObject(CONTROL),
    async create({control, token}, {secrets, clock, fleet}) {
      const {labFault} = await import('./lab-fault.ts');
      const regions = fleet.regions.map(({name}) => name);
      return labFault({url: control, token, secrets, unreachable: 'lab-unreachable', who: "the lab's control"}, clock, regions);
    },
  }),
];
