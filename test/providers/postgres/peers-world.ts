import {openMesh} from '../../../src/lab/active-active-mesh.ts';
import {PASSWORD, type Server, startServers} from '../../servers/embedded.ts';

/** Servers that all take writes and subscribe to one another, with the tables of the lab's mode active-active. */
export async function startPeers(names: readonly string[]): Promise<{readonly all: readonly Server[]; end(): Promise<void>}> {
  const groups = await Promise.all(names.map((name) => startServers([name])));
  const all = groups.flatMap((group) => group.all);
  const end = async (): Promise<void> => {
    await Promise.all(groups.map((group) => group.end()));
  };
  try {
    for (const server of all) {
      await server.sql(`alter system set shop.region = '${server.name}'`);
      await server.sql('select pg_reload_conf()');
    }
    const ports = Object.fromEntries(all.map(({name, port}) => [name, port]));
    const peers = all.map(({name, port, dir}) => ({name, port, links: ports, passfile: `${dir}/none`}));
    await openMesh(peers, PASSWORD, 20_000);
    return {all, end};
  } catch (error) {
    await end();
    throw error;
  }
}
