import {z} from 'zod';
import {durationMs, httpUrl, secretRef, spanMs} from '../../fleet/fields.ts';
import {defineProbe, defineVantage, type Provider, type ProviderContext} from '../define.ts';
import type {Exporter} from './exporter.ts';

const place = {
  url: httpUrl.describe('Where the blackbox_exporter is, such as http://probe.ap.example.com:9115.'),
  user: z.string().min(1).optional().describe('User for basic authentication. Default: none.'),
  password: secretRef.optional().describe('Password of the user.'),
  ca: z.string().min(1).optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
  offset: durationMs.prefault('500ms').describe('What the exporter was started with as --timeout-offset. Default 500ms, as its own.'),
};
const moduleName = z.string().min(1);

const probeConfig = z.strictObject({
  ...place,
  module: moduleName.describe('Module of the exporter that probes.'),
  target: z
    .string()
    .min(1)
    .refine((target) => !/^[a-z]+:\/\/[^/]*@/i.test(target), 'user and password do not belong in it')
    .describe('What it probes: a URL, host:port or a name, as the module wants it.'),
  minValid: spanMs
    .prefault('0h')
    .describe('A certificate that expires sooner degrades the endpoint. Default 0h: only one that has expired counts.'),
});

const vantageConfig = z.strictObject({
  ...place,
  modules: z
    .strictObject({
      http: moduleName.default('http_2xx').describe('Module for http endpoints. Default http_2xx.'),
      tcp: moduleName.default('tcp_connect').describe('Module for all others that have an address. Default tcp_connect.'),
    })
    .prefault({})
    .describe('Modules of the exporter.'),
});

/** The `blackbox` probe and vantage point: a Prometheus blackbox_exporter somewhere else is asked to look. */
export const blackboxProviders: readonly Provider[] = [
  defineProbe({
    kind: 'blackbox',
    schema: probeConfig,
    async create({module, target, minValid, ...rest}, {timeoutMs}, context) {
      const [exporter, {blackboxProbe}] = await Promise.all([opened(rest, context), import('./blackbox-probe.ts')]);
      return blackboxProbe({module, target, timeoutMs, minValidMs: minValid}, exporter, context.clock);
    },
  }),
  defineVantage({
    kind: 'blackbox',
    schema: vantageConfig,
    async create({modules, ...rest}, _name, context) {
      const [exporter, {blackboxVantage}] = await Promise.all([opened(rest, context), import('./blackbox-vantage.ts')]);
      return blackboxVantage(modules, exporter, rest.offset);
    },
  }),
];

type Place = Omit<z.output<typeof probeConfig>, 'module' | 'target' | 'minValid'>;

async function opened({url, user, password, ca, offset}: Place, {secrets, baseDir}: ProviderContext): Promise<Exporter> {
  const [{createExporter}, {resolve}] = await Promise.all([import('./exporter.ts'), import('node:path')]);
  const caFile = ca === undefined ? null : resolve(baseDir, ca);
  return createExporter({url, user: user ?? null, password: password ?? null, caFile, offsetMs: offset}, secrets);
}
