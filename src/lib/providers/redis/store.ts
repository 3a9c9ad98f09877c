import {RegionctlError} from '../../errors.ts';
import {EXIT} from '../../exit-codes.ts';
import type {Store} from '../../ports/store.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {createAudit} from './audit/audit.ts';
import {closeAll, createEnsemble} from './ensemble.ts';
import {createLinks} from './links.ts';
import {createLoss} from './loss.ts';
import {ackRule, observe} from './observe.ts';
import {createOverseers} from './overseers.ts';
import type {RedisConfig, RedisMember} from './store-schema.ts';
import {createWitness} from './witness.ts';

/** A Redis store: a primary and its replicas, watched and never changed; only the witness writes, where the fleet file says so. One connection for each member, made when it is first asked; `close` ends them. */
export async function createStore(part: StorePart<RedisConfig, RedisMember>, context: ProviderContext): Promise<Store> {
  const {name, quorum} = part;
  if (quorum > 0)
    throw new RegionctlError(
      'fleet-invalid',
      EXIT.fleetInvalid,
      `stores.${name}.quorum: no Redis waits for another before it acknowledges a write; found ${quorum}`,
      {
        suggestions: ['Write 0, or take the line out.'],
      },
    );
  const ensemble = createEnsemble(part, context);
  const {sentinels} = ensemble;
  const audit = createAudit(ensemble, part.config.audit, context.secrets);
  return {
    engine: 'redis',
    watched: true,
    observe: (signal, members) => observe(ensemble, signal, members),
    ackRule: async () => ackRule(ensemble),
    abilities: {
      links: createLinks(ensemble),
      loss: createLoss(ensemble),
      audit,
      witness: createWitness(ensemble, part, context),
      ...(sentinels === null ? {} : {overseers: createOverseers(ensemble, sentinels)}),
    },
    close: async () => {
      await audit.close();
      closeAll(ensemble);
    },
  };
}
