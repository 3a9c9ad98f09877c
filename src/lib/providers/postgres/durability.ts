import {unavailable} from '../../errors.ts';
import type {Abilities} from '../../ports/store.ts';
import {type Cluster, nodeOf} from './cluster.ts';
import {memberNames} from './observe.ts';
import {getSetting, setSetting} from './settings.ts';
import {formatSyncNames, parseSyncNames} from './sync-names.ts';

const SETTING = 'synchronous_standby_names';

/** Who must acknowledge. Set on a standby it waits there, and is in force from its first write as a primary. */
export function createDurability(cluster: Cluster): Abilities['durability'] {
  return {
    set: (ctx, member, rule) => setSetting(cluster, ctx, nodeOf(cluster, member), SETTING, formatSyncNames(rule)),
    read: async (ctx, member) => {
      const text = await getSetting(ctx, nodeOf(cluster, member), SETTING);
      const rule = parseSyncNames(text);
      if (rule === null) throw unavailable('bad-setting', `${member} has a ${SETTING} that cannot be read: ${JSON.stringify(text)}.`);
      return {need: rule.need, of: memberNames(cluster, member, rule.of)};
    },
  };
}
