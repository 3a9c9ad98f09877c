import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {type Ended, regionctl} from './program.ts';

/** A user's home in a temporary folder, with plugins of its own. npm asks no registry there. */
export class PluginHome {
  readonly dir = mkdtempSync(join(tmpdir(), 'regionctl-home-'));
  readonly dataDir = join(this.dir, 'data/regionctl');
  readonly cacheDir = join(this.dir, 'cache/regionctl');
  readonly env: NodeJS.ProcessEnv = {
    HOME: this.dir,
    SHELL: '/bin/bash',
    XDG_DATA_HOME: dirname(this.dataDir),
    XDG_CACHE_HOME: dirname(this.cacheDir),
    XDG_CONFIG_HOME: join(this.dir, 'config'),
    npm_config_offline: 'true',
  };

  /** Runs a command as that user. */
  run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    regionctl(args, {cwd: this.dir, env: {...this.env, ...env}});

  /** Writes files below the home: paths to texts, or to values that become JSON. Gives the folder's path. */
  folder(name: string, files: Readonly<Record<string, string | object>>): string {
    for (const [file, content] of Object.entries(files)) {
      const path = join(this.dir, name, file);
      mkdirSync(dirname(path), {recursive: true});
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    }
    return join(this.dir, name);
  }

  remove(): void {
    rmSync(this.dir, {recursive: true, force: true});
  }
}
