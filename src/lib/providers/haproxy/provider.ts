import {z} from 'zod';
import {RegionctlError} from '../../errors.ts';
import {EXIT} from '../../exit-codes.ts';
import {hostPort} from '../../fleet/fields.ts';
import {defineRouter, type Provider, type ProviderContext} from '../define.ts';

/** The letters that HAProxy allows in names. Nothing else may reach its runtime API, where `;` begins another command. */
const server = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]+\/[A-Za-z0-9_.:-]+$/, 'not a server of HAProxy: write backend/server, such as app/us1')
  .max(200)
  // An editor must not refuse a variable, which is filled in before this is checked.
  .meta({pattern: '^[A-Za-z0-9_.:-]+/[A-Za-z0-9_.:-]+$|\\$\\{env:[A-Za-z_][A-Za-z0-9_]*\\}', examples: ['app/us1']});
const file = z.string().min(1);

/** Where one HAProxy is asked: its runtime API over TCP or over a UNIX socket, and where its state is kept. Paths are relative to the fleet file. */
const INSTANCE = {
  address: hostPort.optional().describe('Address of the runtime API.'),
  socket: file.optional().describe('UNIX socket of the runtime API.'),
  stateFile: file.optional().describe('File that HAProxy reads at its start (load-server-state-from-file).'),
};
const ONE_PLACE = 'each HAProxy has either an address or a socket';

const instance = z.strictObject(INSTANCE).refine(({address, socket}) => (address === undefined) !== (socket === undefined), ONE_PLACE);

const config = z
  .strictObject({
    servers: z.record(z.string(), z.array(server).min(1)).describe('Servers of each region, as backend/server.'),
    ...INSTANCE,
    instances: z.array(instance).min(1).optional().describe('Several HAProxy for one route, in place of address, socket and stateFile.'),
  })
  .superRefine(({servers, address, socket, stateFile, instances}, context) => {
    const places = [address, socket, instances].filter((each) => each !== undefined).length;
    if (places !== 1) context.addIssue({code: 'custom', message: 'write one of address, socket and instances', input: null});
    if (instances !== undefined && stateFile !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['stateFile'],
        message: 'each of the instances has a stateFile of its own',
        input: stateFile,
      });
    const all = Object.values(servers).flat();
    const twice = all.find((name, index) => all.indexOf(name) !== index);
    if (twice !== undefined) context.addIssue({code: 'custom', path: ['servers'], message: `${twice} stands there twice`, input: servers});
  });

export type HaproxyConfig = z.output<typeof config>;

/** The `haproxy` router: weights and maintenance of servers through the runtime API. */
export const haproxyProviders: readonly Provider[] = [
  defineRouter<HaproxyConfig>({
    kind: 'haproxy',
    schema: config,
    async create({servers, address, socket, stateFile, instances}, name, context) {
      checkRegions(servers, name, context);
      const [{haproxyRouter}, {resolve}] = await Promise.all([import('./haproxy-router.ts'), import('node:path')]);
      const places = instances ?? [{address, socket, stateFile}];
      return haproxyRouter({
        ...{name, servers, clock: context.clock},
        instances: places.map((each) => ({
          place:
            each.address === undefined
              ? {name: `HAProxy at ${each.socket}`, to: {path: resolve(context.baseDir, each.socket ?? '')}}
              : {name: `HAProxy at ${each.address.host}:${each.address.port}`, to: each.address},
          stateFile: each.stateFile === undefined ? null : resolve(context.baseDir, each.stateFile),
        })),
      });
    },
  }),
];

/** Regions and servers belong together: what has weights needs servers, and the fleet must know the region. */
function checkRegions(servers: HaproxyConfig['servers'], route: string, {fleet}: ProviderContext): void {
  const known = fleet.regions.map(({name}) => name);
  const unknown = Object.keys(servers).find((region) => !known.includes(region));
  const weights = fleet.routes.find(({name}) => name === route)?.weights ?? {};
  const bare = Object.keys(weights).find((region) => !Object.hasOwn(servers, region));
  if (unknown !== undefined) throw invalid(`routes.${route}.servers: the fleet has no region "${unknown}"; it has ${known.join(', ')}`);
  if (bare !== undefined) throw invalid(`routes.${route}.servers: ${bare} has a weight there, and no servers`);
}

function invalid(message: string): RegionctlError {
  return new RegionctlError('fleet-invalid', EXIT.fleetInvalid, message);
}
