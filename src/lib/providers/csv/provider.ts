import {z} from 'zod';
import {isTimeZone} from '../../time-zone.ts';
import {defineMetrics, type Provider} from '../define.ts';

const config = z.strictObject({
  file: z
    .string()
    .min(1)
    .describe(
      'The file, relative to this one: columns timestamp and value, or timestamp, region and value, or one column for each region.',
    ),
  timeZone: z
    .string()
    .refine(isTimeZone, {params: {expected: 'a time zone such as Europe/Berlin or UTC', fix: 'Use a name of the IANA database.'}})
    .default('UTC')
    .describe('Zone of times that name none. Default UTC.'),
});

/** The `csv` source of series: a file beside the fleet file. The query of a series is the column of its values. */
export const csvProviders: readonly Provider[] = [
  defineMetrics({
    kind: 'csv',
    schema: config,
    async create({file, timeZone}, _name, {baseDir}) {
      const [{csvMetrics}, {resolve}] = await Promise.all([import('./csv-metrics.ts'), import('node:path')]);
      return csvMetrics({file: resolve(baseDir, file), shown: file, timeZone});
    },
  }),
];
