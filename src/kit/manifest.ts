import {Plugin} from '@oclif/core';

/** The commands of a package as its oclif.manifest.json has them: whoever reads that imports none of them to know what there is. */
export type Manifest = {readonly version: string; readonly commands: Readonly<Record<string, object>>};

/** Reads them from the commands themselves. Throws what the first that cannot be imported throws. `root`: the folder of its package.json. */
export async function manifestOf(root: string): Promise<Manifest> {
  const plugin = new Plugin({root, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true, respectNoCacheDefault: true});
  await plugin.load();
  const {version, commands} = plugin.manifest;
  return {version, commands: Object.fromEntries(Object.entries(commands).toSorted(([a], [b]) => (a < b ? -1 : 1)))};
}
